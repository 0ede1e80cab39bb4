/** 97.5 % of a standard normal distribution. */
const Z = 1.96;

/**
 * The 95 % confidence interval of the difference of two shares, the second minus the first, by Newcombe's hybrid of Wilson's
 * intervals (1998): also for shares of 0 and 1. Counts need not be whole: those of an over-dispersed process are divided by
 * its dispersion.
 */
export function shareDifferenceInterval(
  eventsBefore: number,
  countBefore: number,
  eventsAfter: number,
  countAfter: number,
): [number, number] {
  const [one, other] = [eventsBefore / countBefore, eventsAfter / countAfter];
  const [lowOne, highOne] = wilson(one, countBefore);
  const [lowOther, highOther] = wilson(other, countAfter);
  const difference = other - one;
  return [
    difference - Math.hypot(other - lowOther, highOne - one),
    difference + Math.hypot(highOther - other, one - lowOne),
  ];
}

function wilson(share: number, count: number): [number, number] {
  const square = Z ** 2;
  const middle = share + square / (2 * count);
  const reach = Z * Math.sqrt((share * (1 - share)) / count + square / (4 * count ** 2));
  const scale = 1 + square / count;
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}
