import { type Breakdown, SELF_BUSY, SELF_IDLE, WORK_NAMES } from './work.js';

/** The names of the parts of a {@link Breakdown} in a `Server-Timing` header, by their index. */
const PART_NAMES: readonly string[] = [...WORK_NAMES, 'event_loop', 'waiting'];
/** What a browser shows beside them where no operation is named. */
const DESCRIPTIONS: ReadonlyMap<number, string> = new Map([
  [SELF_BUSY, 'event loop busy'],
  [SELF_IDLE, 'not instrumented'],
]);

/** Shorter parts are left out. */
const MIN_MS = 0.1;
const MAX_NAME = 80;
/** Characters of a header that are read: any server may send one. */
const MAX_HEADER = 1000;

/** What a service says of the time that it took to answer. */
export interface RemoteTiming {
  /** Until it sent the headers of its response, in milliseconds. */
  totalMs: number;
  /** What most of it went to: a kind of work, `event_loop` while the event loop was busy, or `waiting`. */
  cause: string;
  causeMs: number;
  /** The operation behind it: `SELECT track x 50`. */
  operation?: string;
}

/**
 * A `Server-Timing` header: the time since a request began, and its parts, the greatest first.
 * @param operationOf the operation behind a part, by its index
 * @see https://www.w3.org/TR/server-timing/
 */
export function formatServerTiming(
  totalMs: number,
  parts: Breakdown,
  operationOf: (part: number) => string | undefined,
): string {
  const shown = parts
    .map((ms, part) => ({ ms, part }))
    .filter(({ ms }) => ms >= MIN_MS)
    .sort((a, b) => b.ms - a.ms)
    .map(({ ms, part }) =>
      metric(PART_NAMES[part] as string, ms, operationOf(part) ?? DESCRIPTIONS.get(part)),
    );
  return [metric('total', totalMs), ...shown].join(', ');
}

function metric(name: string, ms: number, description?: string): string {
  const value = `${name};dur=${ms.toFixed(1)}`;
  return description === undefined ? value : `${value};desc="${quotable(description)}"`;
}

function quotable(text: string): string {
  return text
    .slice(0, MAX_NAME)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .replaceAll(/["\\]/g, "'");
}

/** One metric of the header, up to its comma. */
const METRIC = /([\w-]{1,40})\s*((?:;(?:"[^"]*"|[^",;])*)*)(?:,|$)/g;
const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^";\s]*))/g;
const DURATION = /^\d{1,9}(?:\.\d{1,6})?$/;
/** Names of operations, as this package makes them. Other text may hold anything. */
const OPERATION = /^[\w .:/{}()*-]{1,80}$/;

/**
 * Reads a `Server-Timing` header of a service that this package measures.
 * @returns undefined where it is none, or contains no part of the time
 */
export function parseServerTiming(header: string): RemoteTiming | undefined {
  let totalMs: number | undefined;
  let most: Omit<RemoteTiming, 'totalMs'> | undefined;
  for (const [, name = '', text = ''] of header.slice(0, MAX_HEADER).matchAll(METRIC)) {
    const parameters = parametersIn(text);
    const duration = parameters.get('dur') ?? '';
    if (!DURATION.test(duration)) continue;
    const ms = Number(duration);
    if (name === 'total') totalMs = ms;
    const part = PART_NAMES.indexOf(name);
    if (part < 0 || ms <= (most?.causeMs ?? 0)) continue;
    const operation = DESCRIPTIONS.has(part) ? undefined : parameters.get('desc');
    most = { cause: name, causeMs: ms };
    if (operation !== undefined && OPERATION.test(operation)) most.operation = operation;
  }
  // Parts that exceed the whole are of something else.
  if (totalMs === undefined || most === undefined || most.causeMs > totalMs * 1.01 + 1) return undefined;
  return { totalMs, ...most };
}

function parametersIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of text.matchAll(PARAMETER))
    found.set(name.toLowerCase(), quoted ?? plain);
  return found;
}
