import type { Leak, LeakingMemory } from './leak.js';

const MB = 2 ** 20;
const KB = 2 ** 10;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const WHAT: Record<LeakingMemory, string> = {
  heap: 'What remains of the heap after a full collection',
  external: 'What objects hold outside the heap (buffers, native objects) after a full collection',
  rss: 'The memory of the process that is neither in the heap nor held by objects in it',
};

/** Figures for the explanation that a leak does not contain. */
export interface LeakContext {
  /** Memory in use at `since`. */
  readonly firstBytes: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Explains a leak in a few sentences. Times are local; sizes are in units of 2^10 and 2^20 bytes. */
export function explainLeak(leak: Omit<Leak, 'explanation'>, { firstBytes, now }: LeakContext): string {
  const { memory, since, bytesPerHour, usedBytes, limitBytes, timeToLimitMs, suspects } = leak;
  const said = [
    `${WHAT[memory]} grows by ${bytesInWords(bytesPerHour)} per hour (from ${bytesInWords(firstBytes)} to ${bytesInWords(usedBytes)} since ${momentInWords(since, now)})`,
  ];
  if (limitBytes !== undefined && timeToLimitMs !== undefined) {
    said[0] += `; the limit of ${bytesInWords(limitBytes)} is reached in about ${durationInWords(timeToLimitMs)}`;
  }
  if (leak.state === 'suspect')
    said.push('It may be a cache that is filling; it is confirmed if it continues');
  if (suspects.length > 0) {
    const list = suspects.map(
      ({ name, bytesPerOperation }) => `${name}: about ${bytesInWords(bytesPerOperation)} per execution`,
    );
    said.push(`It correlates with ${list.join(', ')}`);
  }
  return `${said.join('. ')}.`;
}

function bytesInWords(bytes: number): string {
  if (bytes >= 10 * MB) return `${(bytes / MB).toFixed(0)} MB`;
  if (bytes >= MB / 10) return `${(bytes / MB).toFixed(1)} MB`;
  return bytes >= KB ? `${(bytes / KB).toFixed(1)} KB` : `${bytes.toFixed(0)} bytes`;
}

/** Up to two units, the larger first: `2 h 50 min`. */
export function durationInWords(ms: number): string {
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) {
    const minutes = Math.round(ms / MINUTE_MS / 10) * 10;
    return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  return `${Math.round(ms / DAY_MS)} days`;
}

/** The time of day, with the date if it was another day, and with seconds if it was within ten minutes. */
function momentInWords(moment: number, now: number): string {
  const at = new Date(moment);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (now - moment < 10 * MINUTE_MS) return `${time}:${two(at.getSeconds())}`;
  if (now - moment < DAY_MS / 2) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
