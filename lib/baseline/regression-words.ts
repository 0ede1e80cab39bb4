import type { PartName } from '../statistics/operation-window.js';
import { figure, milliseconds, momentOfDay, percent } from '../text/quantities.js';
import type { Candidate } from './regression.js';

/** The parts that are listed, the greatest growth first. */
const MAX_PARTS = 3;

const PART_WORDS: Readonly<Record<PartName, string>> = {
  database: 'database',
  cache: 'cache',
  external: 'outgoing calls',
  messaging: 'messaging',
  rpc: 'RPC',
  connection_pool: 'waiting for a connection',
  self_busy: 'own code',
  self_idle: 'own waiting',
};

/** Explains a regression in one or two sentences. Moments are in UTC. */
export function wordsOf(name: string, candidate: Candidate, version?: string, previous?: string): string {
  const { since, at, against } = candidate;
  const before = previous === undefined ? '' : ` (previous version ${previous})`;
  const release = against === 'version' && version !== undefined ? `, with version ${version}${before}` : '';
  const { change, figures } = wordsOfChange(candidate);
  return `${name} ${change} since ${momentOfDay(since, at)}${release}: ${figures}.${wordsOfParts(candidate)}`;
}

function wordsOfChange(candidate: Candidate): { change: string; figures: string } {
  const { metric, statistic, before, now, change, interval } = candidate;
  if (metric === 'error_rate')
    return {
      change: 'has failed more often',
      figures: `${percent(before)} -> ${percent(now)} of the operations`,
    };
  if (metric === 'queries')
    return {
      change: 'has made more statements',
      figures: `${figure(before)} -> ${figure(now)} per operation`,
    };
  const [low, high] = interval.map(wholePercent);
  const slower = `${wholePercent(change)} slower`;
  return {
    change: metric === 'tail_latency' ? `has had a tail ${slower}` : `has been ${slower}`,
    figures: `${statistic} ${milliseconds(before)} -> ${milliseconds(now)}, 95 % confidence interval ${low} to ${high}`,
  };
}

function wordsOfParts({ parts, queries: [before, now] }: Candidate): string {
  const listed = parts.slice(0, MAX_PARTS);
  const words = listed.map(
    ({ part, beforeMs, nowMs }) => `${PART_WORDS[part]} ${milliseconds(beforeMs)} -> ${milliseconds(nowMs)}`,
  );
  const isCounted = !Number.isNaN(before) && !Number.isNaN(now);
  if (isCounted && listed.some(({ part }) => part === 'database'))
    words.push(`statements ${figure(before)} -> ${figure(now)}`);
  return words.length === 0 ? '' : ` Per operation: ${words.join(', ')}.`;
}

function wholePercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
