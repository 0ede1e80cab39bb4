const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1000],
  ['m', MINUTE_MS],
  ['h', HOUR_MS],
  ['d', DAY_MS],
]);

/** What {@link parseSince} takes, for the text of an error. */
export const SINCE_ALLOWED =
  'give a time before now such as 15m, 1h or 24h, a date as in ISO 8601, or milliseconds since 1970';

/**
 * The moment that a text names, in milliseconds since 1970.
 * @returns nothing for a text that names none, or one that is still to come
 */
export function parseSince(text: string, now: number): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS.get(unit) ?? 0);
  let moment = Number.NaN;
  if (/^\d{12,13}$/.test(text)) moment = Number(text);
  else if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text)) moment = Date.parse(text);
  return moment <= now ? moment : undefined;
}
