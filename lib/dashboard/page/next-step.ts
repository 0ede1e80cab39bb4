import type { FindingType } from '../../explain/finding.js';
import type { Overview } from '../overview.js';
import { type FindingItem, findingItems } from './finding-items.js';

const STEPS: Readonly<Partial<Record<FindingType, string>>> = {
  n_plus_one: 'Load all of them at once: with a join, IN or a DataLoader.',
  duplicate_queries: 'Run the statement once, and pass its result on.',
  sequential_calls: 'Run the calls in parallel, such as with Promise.all.',
  event_loop_block: 'Split the work, or move it to an asynchronous function or a worker thread.',
  overlapping_runs: 'Let a run end before the next one starts.',
  errors: 'Fix the error at its line.',
  regression: 'Compare with what was deployed or changed when it began.',
  memory_leak: 'Compare two heap snapshots, an hour apart.',
};

/** What to do about a finding: create the index that a plan lacks, or what its type calls for. */
export function stepOf({ type, plan }: FindingItem): string | undefined {
  const index = plan?.suggestedIndex?.statement;
  return index === undefined ? STEPS[type] : `Create the index: ${index}`;
}

/** The finding behind the sentence about the health, or the most severe one: what to begin with. */
export function firstFinding(overview: Overview): FindingItem | undefined {
  const { state, sentence } = overview.health;
  if (state !== 'degraded' && state !== 'unhealthy') return undefined;
  const items = findingItems(overview).filter(
    (item) => item.severity !== 'info' && item.state !== 'over' && stepOf(item) !== undefined,
  );
  const isNamed = ({ subject }: FindingItem): boolean =>
    subject !== undefined && sentence.includes(subject.name);
  return (
    items.find((item) => isNamed(item) && item.callSite !== undefined) ?? items.find(isNamed) ?? items[0]
  );
}
