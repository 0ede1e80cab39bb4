import { type Finding, SEVERITIES } from '../explain/finding.js';
import { byWeight } from '../explain/findings.js';
import { round } from '../text/round.js';
import type { FleetFinding } from './fleet-view.js';
import type { InstanceSummary } from './instance-summary.js';

const MAX_LISTED = 50;
/** Instances that are named. */
const MAX_NAMED = 20;

/** The findings of several instances, by their id: the same type, fingerprint and route have the same one. */
export function mergeFindings(summaries: readonly InstanceSummary[]): FleetFinding[] {
  const merged = new Map<string, FleetFinding>();
  for (const { id, findings } of summaries) {
    for (const finding of findings) {
      const sum = merged.get(finding.id);
      if (sum === undefined) merged.set(finding.id, { ...finding, on: [id], instances: 1 });
      else add(sum, finding, id);
    }
  }
  return [...merged.values()].sort(byWeight).slice(0, MAX_LISTED);
}

/** The description is that of the last occurrence. */
function add(sum: FleetFinding, finding: Finding, instance: string): void {
  const { count, totalMs, worstMs, firstSeen, severity } = sum;
  if (finding.lastSeen > sum.lastSeen) Object.assign(sum, finding);
  sum.count = count + finding.count;
  sum.totalMs = round(totalMs + finding.totalMs);
  sum.worstMs = Math.max(worstMs, finding.worstMs);
  sum.firstSeen = Math.min(firstSeen, finding.firstSeen);
  sum.severity =
    SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(finding.severity) ? severity : finding.severity;
  sum.instances++;
  if (sum.on.length < MAX_NAMED) sum.on.push(instance);
}
