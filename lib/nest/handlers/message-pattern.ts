import { templateOf } from '../../spans/path-segment.js';
import { cachedByText } from '../../text/cached-text.js';

const SEPARATOR = /([./])/;

/** The patterns of a message handler as text: `orders.created`, `{"cmd":"sum"}`, and `Service/Method` of gRPC. */
export function patternText(patterns: unknown): string {
  const list = Array.isArray(patterns) ? patterns : [patterns];
  return list
    .map((pattern: unknown) => {
      if (typeof pattern !== 'object' || pattern === null || pattern instanceof RegExp)
        return String(pattern);
      const { service, rpc } = pattern as { service?: unknown; rpc?: unknown };
      return rpc === undefined ? JSON.stringify(pattern) : `${String(service)}/${String(rpc)}`;
    })
    .join(' | ');
}

/**
 * The pattern of a message that a client sends, without values: clients may make a pattern for each message.
 * `orders.7.created` becomes `orders.{}.created`.
 */
export function patternTemplate(pattern: unknown): string {
  if (typeof pattern !== 'object' || pattern === null) return withoutNumbers(String(pattern));
  return JSON.stringify(pattern, (_key, value: unknown) => {
    if (typeof value === 'string') return withoutNumbers(value);
    return typeof value === 'number' || typeof value === 'bigint' ? '{}' : value;
  });
}

/** A part without a digit is a word of a developer, however long. */
const withoutNumbers = cachedByText((text) => {
  let previous = '';
  return text
    .split(SEPARATOR)
    .map((part) => {
      const shown = /[\d@]/.test(part) ? templateOf(part, previous) : part;
      if (!SEPARATOR.test(part)) previous = part;
      return shown;
    })
    .join('');
});
