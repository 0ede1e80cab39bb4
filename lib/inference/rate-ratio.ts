import { incompleteBeta } from './student-t.js';

/**
 * The exact test of two Poisson rates given their sum (Przyborowski and Wilenski 1940): the probability that the second
 * period gets as many of all events or more if both have the same rate. Events need not be whole numbers: those of an
 * over-dispersed process are divided by its dispersion.
 * @param events,exposure of the second period: what happened, and how often it could have
 */
export function rateRatioUpper(
  events: number,
  exposure: number,
  eventsBefore: number,
  exposureBefore: number,
): number {
  if (!(events > 0)) return 1;
  return incompleteBeta(exposure / (exposure + exposureBefore), events, eventsBefore + 1);
}
