import { incompleteBeta } from './student-t.js';

/**
 * How probable it is that of all events so many or more fall into the second stretch, where both have the same rate: the
 * exact test of two Poisson rates given their sum (Przyborowski and Wilenski 1940). DeferredEmitter need not be whole: those of
 * an over-dispersed process are divided by its dispersion.
 * @param events,exposure of the second stretch: what happened, and how often it could have
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
