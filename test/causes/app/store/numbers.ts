/** 1 to the count. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
