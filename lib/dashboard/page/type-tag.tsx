import { visible } from './text.js';

const KNOWN = new Set([
  'http',
  'database',
  'connection_pool',
  'cache',
  'external',
  'messaging',
  'rpc',
  'internal',
]);

/** The color class of a type. All custom types share one. */
export function toneOf(type: string): string {
  return `tone-${KNOWN.has(type) ? type : 'custom'}`;
}

export function TypeTag({ type }: { type: string }) {
  return <span class={`tag ${toneOf(type)}`}>{visible(type, 64)}</span>;
}
