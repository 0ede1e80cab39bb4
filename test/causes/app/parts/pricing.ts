import type { ServiceDefinition } from '@grpc/grpc-js';

export interface QuoteRequest {
  id: number;
  delayMs: number;
}
export interface Quote {
  price: number;
}

const write = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const read = <T>(bytes: Buffer): T => JSON.parse(bytes.toString()) as T;
const codec = {
  requestSerialize: write,
  requestDeserialize: read<QuoteRequest>,
  responseSerialize: write,
  responseDeserialize: read<Quote>,
};

/** A gRPC service with JSON messages, which need no compiler for protocol buffers. */
export const PRICING = {
  quote: { path: '/store.Pricing/Quote', requestStream: false, responseStream: false, ...codec },
  quotes: { path: '/store.Pricing/Quotes', requestStream: false, responseStream: true, ...codec },
} satisfies ServiceDefinition;
