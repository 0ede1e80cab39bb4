const THIN = '\u202f';
/**
 * All numbers and times use the language of the page. The browser's language is not used: under a POSIX locale it is
 * `en-US@posix`, which `Intl` rejects.
 */
const LOCALE = 'en';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(LOCALE, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric' });

/** Shown instead of a missing value. */
export const NONE = '–';

/** A number with up to three significant digits, or all digits of its integer part. */
export function number(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  return (size >= 100 ? whole : size >= 10 ? tenths : hundredths).format(value);
}

/** `3.2 ms`, `1.4 s`, `5 min`, `2.5 h`, `3 d` */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return NONE;
  if (ms < 1000) return `${ms >= 10 ? whole.format(ms) : tenths.format(ms)}${THIN}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${tenths.format(seconds)}${THIN}s`;
  const minutes = seconds / 60;
  if (minutes < 60) return `${minutes < 10 ? tenths.format(minutes) : whole.format(minutes)}${THIN}min`;
  const hours = minutes / 60;
  return hours < 48 ? `${tenths.format(hours)}${THIN}h` : `${tenths.format(hours / 24)}${THIN}d`;
}

/** Formats a value that is already a percentage. */
export function percent(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  return `${value > 0 && value < 10 ? tenths.format(value) : whole.format(value)}${THIN}%`;
}

/** Formats a ratio from 0 to 1 as a percentage. */
export function share(value: number): string {
  return percent(value * 100);
}

export function megabytes(mb: number | null | undefined): string {
  if (mb === undefined || mb === null) return NONE;
  return mb >= 1024 ? `${tenths.format(mb / 1024)}${THIN}GB` : `${number(mb)}${THIN}MB`;
}

export function bytes(value: number): string {
  return value < 1024 * 1024 ? `${whole.format(value / 1024)}${THIN}KB` : megabytes(value / 1024 / 1024);
}

/** `12 s ago`, or `now`. Both arguments are on the server's clock. */
export function ago(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  if (ms < 1500) return 'now';
  return `${ms < 60_000 ? `${whole.format(ms / 1000)}${THIN}s` : duration(ms)} ago`;
}

/** `14:03:22`, in the browser's time zone. */
export function timeOfDay(at: number): string {
  return clock.format(at);
}

/** `14:03:22`, with the date unless it is today. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date(now).toDateString();
  return isToday ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** `1 call`, `3 calls` */
export function plural(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}
