const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const MB = 1024 * 1024;

/** A duration in a suitable unit: `12 ms`, `3.4 s`, `12 min`, `3.4 h`. */
export function span(ms: number): string {
  if (ms < SECOND_MS) return `${figure(ms)} ms`;
  if (ms < MINUTE_MS) return `${figure(ms / SECOND_MS)} s`;
  return ms < HOUR_MS ? `${figure(ms / MINUTE_MS)} min` : `${figure(ms / HOUR_MS)} h`;
}

/** `45.2 MB` of 2^20 bytes. */
export function megabytes(bytes: number): string {
  return `${figure(bytes / MB)} MB`;
}

/** A share from 0 to 1 as a percentage: `0.1 %`. */
export function percentOf(share: number): string {
  return `${figure(share * 100)} %`;
}

/** A number with three significant digits; without decimals from 100. */
export function figure(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** `2026-11-25 13:00 UTC` */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Truncates a text to `max` characters. Surrogate pairs count as one and are not split. */
export function shortened(text: string, max: number): string {
  const points = Array.from(text.slice(0, 2 * max + 2));
  return points.length > max ? `${points.slice(0, max - 1).join('')}…` : points.join('');
}

/** The explanation of a slow operation, prefixed with its name unless it starts with it. */
export function slowSentence({ name, explanation }: { name: string; explanation: string }): string {
  return explanation.startsWith(name) ? explanation : `${name}: ${explanation}`;
}
