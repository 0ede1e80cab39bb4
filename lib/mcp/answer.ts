/** The result of a tool: the same facts as text for a model, and as plain data for a program. */
export interface Answer {
  /** Lines of Markdown. Texts of the application are in code spans or escaped, see `markdown.ts`. */
  readonly lines: readonly string[];
  /** Plain data, fit for JSON. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The limit of either form, in bytes: about 6,000 tokens. */
export const MAX_ANSWER_BYTES = 24 * 1024;
/** Strings in the data, in characters. Further limits apply only to an answer that is still too large. */
const MAX_STRING = 2000;
const SHORT_STRING = 100;
/** Room for the sentence about what was left out. */
const NOTE_BYTES = 120;

/** As many whole lines as fit, and how many were left out. */
export function boundedText(lines: readonly string[]): string {
  let room = MAX_ANSWER_BYTES - NOTE_BYTES;
  let kept = 0;
  for (const line of lines) {
    room -= Buffer.byteLength(line) + 1;
    if (room < 0) break;
    kept++;
  }
  const left = lines.length - kept;
  return left === 0
    ? lines.join('\n')
    : [
        ...lines.slice(0, kept),
        `(${left} more lines left out: ask for less with the arguments of this tool)`,
      ].join('\n');
}

/**
 * A copy of the data within the limit: the longest lists lose their last entries. `leftOut` has the number of entries lost by
 * each.
 */
export function boundedData(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy = shortened(data, MAX_STRING) as Record<string, unknown>;
  const lost = new Map<string, number>();
  for (;;) {
    const leftOut = Object.fromEntries(lost);
    const over = bytesOf(copy) + bytesOf(leftOut) + NOTE_BYTES - MAX_ANSWER_BYTES;
    if (over <= 0) return lost.size === 0 ? copy : { ...copy, leftOut };
    const longest = longestList(copy, '');
    if (longest === undefined || longest.bytes < SHORT_STRING)
      return shortened({ ...copy, leftOut }, SHORT_STRING) as Record<string, unknown>;
    const { list, path } = longest;
    const removed = Math.max(1, Math.min(list.length, Math.ceil((list.length * over) / longest.bytes)));
    list.length -= removed;
    lost.set(path, (lost.get(path) ?? 0) + removed);
  }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function shortened(value: unknown, max: number): unknown {
  if (typeof value === 'string') return value.length > max ? `${value.slice(0, max - 1)}…` : value;
  if (Array.isArray(value)) return value.map((one) => shortened(one, max));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => [key, shortened(one, max)]),
  );
}

interface List {
  readonly list: unknown[];
  /** `waterfall.spans` */
  readonly path: string;
  readonly bytes: number;
}

/** The list with the most bytes that has entries. A list within it is never longer. */
function longestList(value: unknown, path: string): List | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value))
    return value.length === 0 ? undefined : { list: value, path, bytes: bytesOf(value) };
  let longest: List | undefined;
  for (const [key, one] of Object.entries(value)) {
    const found = longestList(one, path === '' ? key : `${path}.${key}`);
    if (found !== undefined && found.bytes > (longest?.bytes ?? 0)) longest = found;
  }
  return longest;
}
