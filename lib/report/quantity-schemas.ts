import { number, pair, type Schema, whole } from './json-schema.js';

const POSITIVE = { minimum: 0 } as const;
/** The range of dates in JavaScript: any other time makes a `Date` invalid, and `Intl` throw. */
const MOMENT = { ...POSITIVE, maximum: 8.64e15 } as const;

export const moment = (what: string): Schema<number> => number(`${what}, in milliseconds since 1970`, MOMENT);
export const milliseconds = (what: string): Schema<number> => number(`${what}, in milliseconds`, POSITIVE);
export const bytes = (what: string): Schema<number> => number(`${what}, in bytes`, POSITIVE);
export const count = (what: string): Schema<number> => whole(what, POSITIVE);
export const share = (what: string): Schema<number> => number(`${what}, 0 to 1`, { minimum: 0, maximum: 1 });
/** A non-negative number without a unit. */
export const ratio = (what: string): Schema<number> => number(what, POSITIVE);
export const interval = (of: string): Schema<readonly [number, number]> =>
  pair(number('Bound'), `95 % confidence interval of ${of}`);
