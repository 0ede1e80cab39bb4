import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import { PRICING, type Quote, type QuoteRequest } from './pricing';

/** Quotes prices after a requested delay. */
export function startGrpc(): Promise<number> {
  const server = new Server();
  server.addService(PRICING, {
    quote: ({ request }: ServerUnaryCall<QuoteRequest, Quote>, done: (e: null, quote: Quote) => void) => {
      setTimeout(() => done(null, { price: 10 + request.id }), request.delayMs);
    },
    quotes: (call: ServerWritableStream<QuoteRequest, Quote>) => {
      let left = 10;
      const timer = setInterval(() => {
        call.write({ price: left });
        if (--left > 0) return;
        clearInterval(timer);
        call.end();
      }, call.request.delayMs / left);
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}
