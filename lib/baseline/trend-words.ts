import type { Trend } from './trend.js';

const HOUR_MS = 3_600_000;
const RESOURCES = {
  heap_used: 'The heap in use',
  rss: 'The memory of the process (rss)',
  event_loop_delay: 'The delay of the event loop',
  cpu: 'The use of the CPU',
} as const;

/** Tells a trend in some sentences. Moments are told in UTC. */
export function wordsOfTrend(trend: Omit<Trend, 'explanation'>): string {
  const { subject, unit, from, to, first, last, slopePerHour, forecast } = trend;
  const what = subject.kind === 'operation' ? subject.name : RESOURCES[subject.name];
  const growth = first > 0 ? `${(((last - first) / first) * 100).toFixed(0)} % in ` : '';
  const span = `${growth}${lengthOf(to - from)}`;
  const told = `${what} grows slowly: ${amountOf(first, unit)} -> ${amountOf(last, unit)} (${span}, ${amountOf(slopePerHour, unit)} an hour).`;
  if (forecast === undefined) return told;
  const moment = new Date(forecast.reachedAt).toISOString();
  return `${told} If it goes on like that, ${amountOf(forecast.limit, unit)} are reached on ${moment.slice(0, 10)} at ${moment.slice(11, 16)} UTC.`;
}

function lengthOf(ms: number): string {
  const hours = ms / HOUR_MS;
  return hours < 48 ? `${hours.toFixed(0)} hours` : `${(hours / 24).toFixed(0)} days`;
}

function amountOf(value: number, unit: Trend['unit']): string {
  if (unit === 'bytes') return `${(value / 1e6).toFixed(1)} MB`;
  if (unit === 'ratio') return `${(value * 100).toFixed(1)} %`;
  return `${value.toFixed(Math.abs(value) < 10 ? 2 : 0)} ms`;
}
