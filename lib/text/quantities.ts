const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MB = 1024 * 1024;

/** Three significant digits, without decimals from 100 on. */
export function figure(value: number): string {
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** `104 ms` */
export function milliseconds(ms: number): string {
  return `${figure(ms)} ms`;
}

/** A duration in the unit that fits: `12 ms`, `3.4 s`, `12 min`, `3.4 h`, `4.5 days`. */
export function duration(ms: number): string {
  if (ms < SECOND_MS) return milliseconds(ms);
  if (ms < MINUTE_MS) return `${figure(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${figure(ms / MINUTE_MS)} min`;
  return ms < 2 * DAY_MS ? `${figure(ms / HOUR_MS)} h` : `${figure(ms / DAY_MS)} days`;
}

/** `45.2 MB` of 2^20 bytes. */
export function megabytes(bytes: number): string {
  return `${figure(bytes / MB)} MB`;
}

/** A share of 0 to 1: `0.1 %`. */
export function percent(share: number): string {
  return `${figure(share * 100)} %`;
}

/** `2026-11-25 13:00 UTC` */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The moment without its date if that is the day of `now`: `13:00 UTC`. */
export function momentOfDay(at: number, now: number): string {
  const text = moment(at);
  return text.slice(0, 10) === moment(now).slice(0, 10) ? text.slice(11) : text;
}
