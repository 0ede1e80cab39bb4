/** Three decimals: a microsecond where the unit is a millisecond. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
