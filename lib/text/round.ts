/** Rounds to three decimals: to microseconds if the unit is milliseconds. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
