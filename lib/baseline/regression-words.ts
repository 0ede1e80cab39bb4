import { PARTS, type PartName } from '../statistics/operation-window.js';
import type { Candidate } from './regression-candidate.js';

/** How many parts are told. */
const MOST_PARTS = 3;

const PART_WORDS: Readonly<Record<PartName, string>> = {
  database: 'database',
  cache: 'cache',
  external: 'outgoing calls',
  messaging: 'messaging',
  rpc: 'RPC',
  connection_pool: 'waiting for a connection',
  own_busy: 'own code',
  own_idle: 'own waiting',
};

/** Tells a regression in some sentences. Moments are told in UTC. */
export function wordsOf(name: string, candidate: Candidate, version?: string, previous?: string): string {
  const { since, at, against } = candidate;
  const day = new Date(at).toISOString().slice(0, 10) === new Date(since).toISOString().slice(0, 10);
  const moment = new Date(since).toISOString();
  const when = day ? moment.slice(11, 16) : `${moment.slice(0, 10)} ${moment.slice(11, 16)}`;
  const release =
    against === 'version' && version !== undefined
      ? `, with version ${version}${previous === undefined ? '' : ` (before: ${previous})`}`
      : '';
  return `${name} ${change(candidate)} since ${when} UTC${release}.${parts(candidate)}`;
}

function change({ metric, of, before, now, change: share, interval: [low, high] }: Candidate): string {
  const sure = `95 % interval ${percent(low)} to ${percent(high)} %`;
  if (metric === 'error_rate')
    return `fails more often (${shareOf(before)} -> ${shareOf(now)} % of the operations)`;
  if (metric === 'queries') return `makes more statements (${short(before)} -> ${short(now)} each time)`;
  const figures = `(${of} ${ms(before)} -> ${ms(now)} ms, ${sure})`;
  return metric === 'tail_latency'
    ? `has a tail that became ${percent(share)} % slower ${figures}`
    : `became ${percent(share)} % slower ${figures}`;
}

function parts({ parts: changed, queries: [before, now] }: Candidate): string {
  const told = changed.slice(0, MOST_PARTS);
  const words = told.map(
    ({ part, beforeMs, nowMs }) => `${PART_WORDS[part]} ${ms(beforeMs)} -> ${ms(nowMs)} ms`,
  );
  if (!Number.isNaN(before) && !Number.isNaN(now) && told.some(({ part }) => part === PARTS[0]))
    words.push(`statements ${short(before)} -> ${short(now)}`);
  return words.length === 0 ? '' : ` Per operation: ${words.join(', ')}.`;
}

function percent(share: number): string {
  return (share * 100).toFixed(0);
}

function shareOf(share: number): string {
  return (share * 100).toFixed(share < 0.1 ? 1 : 0);
}

function ms(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}

function short(value: number): string {
  return value.toFixed(value < 10 && Math.abs(value - Math.round(value)) > 0.05 ? 1 : 0);
}
