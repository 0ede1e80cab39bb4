import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { PRICING, type Quote, type QuoteRequest } from '../parts/pricing';

interface Stub {
  quote(request: QuoteRequest, done: (error: ServiceError | null, quote: Quote) => void): void;
  quotes(request: QuoteRequest): AsyncIterable<Quote>;
}

/** A gRPC client. */
@Injectable()
export class Pricing {
  private stub: Stub | undefined;

  quote(request: QuoteRequest): Promise<Quote> {
    return new Promise((resolve, reject) => {
      this.client().quote(request, (error, quote) => (error === null ? resolve(quote) : reject(error)));
    });
  }

  quotes(request: QuoteRequest): AsyncIterable<Quote> {
    return this.client().quotes(request);
  }

  /** Created when it is first used, after the instrumentation has patched its class. */
  private client(): Stub {
    const Client = makeGenericClientConstructor(PRICING, 'store.Pricing');
    this.stub ??= new Client(
      process.env['GRPC_ADDRESS'] ?? '',
      credentials.createInsecure(),
    ) as unknown as Stub;
    return this.stub;
  }
}
