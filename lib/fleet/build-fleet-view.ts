import { round } from '../text/round.js';
import { addFigures, newFigures, summaryOf } from './figures.js';
import type { FleetInstance, FleetSlowOperation, FleetVersion, FleetView } from './fleet-view.js';
import type { Figures, InstanceSummary, TypeFigures } from './instance-summary.js';
import type { Sighting } from './last-seen.js';
import { mergeFindings } from './merge-findings.js';
import { MAX_VERSIONS, mergingOperations } from './merge-operations.js';

const HTTP = 'http';
/** The kinds of handlers that others call. */
const HANDLERS: ReadonlySet<string> = new Set([
  HTTP,
  'rpc',
  'messaging',
  'websocket',
  'queue',
  'schedule',
  'event',
  'command',
]);
const MAX_SLOW = 50;
const SECONDS = 60;

/** What a view is made of. */
export interface ViewParts {
  /** That of this process first. */
  readonly summaries: readonly InstanceSummary[];
  /** When each of the others was last seen. */
  readonly sightings: ReadonlyMap<InstanceSummary, Sighting>;
  readonly store: FleetView['store'];
  readonly omitted: number;
  readonly ignored: number;
}

/** What all instances know, as one view. Yields between its parts. @param now milliseconds since 1970 */
export function* buildingView(
  own: InstanceSummary,
  parts: ViewParts,
  now: number,
): Generator<void, FleetView> {
  const { sightings, store, omitted, ignored } = parts;
  const listed = parts.summaries.filter((summary) => sightings.get(summary)?.isExpired !== true);
  const isLost = (summary: InstanceSummary): boolean => sightings.get(summary)?.isLost === true;
  const rank = (summary: InstanceSummary): number => (summary === own ? 0 : isLost(summary) ? 2 : 1);
  const ordered = [...listed].sort((a, b) => rank(a) - rank(b) || b.startedAt - a.startedAt);
  const live = ordered.filter((summary) => !isLost(summary));
  const type = requestType(live);
  const versions = versionsOf(live, type);
  const names = versions.map(({ version }) => version);
  yield;
  const operations = yield* mergingOperations(live, names.length > 1 ? names : []);
  const instances: FleetInstance[] = [];
  for (const summary of ordered) {
    instances.push(instanceOf(summary, own, sightings.get(summary), type, now));
    yield;
  }
  return {
    at: now,
    service: own.service,
    self: own.id,
    store,
    ...{ instances, omitted, ignored, versions, operations },
    findings: mergeFindings(ordered),
    slow: slowOf(ordered),
  };
}

function instanceOf(
  summary: InstanceSummary,
  own: InstanceSummary,
  sighting: Sighting | undefined,
  type: string | undefined,
  now: number,
): FleetInstance {
  const { id, version, host, pid, worker, startedAt, process, findings } = summary;
  const requests = summary.types.find((one) => one.type === type);
  const minute = requests === undefined ? undefined : summaryOf(requests.minute);
  return {
    ...process,
    id,
    ...(version === undefined ? {} : { version }),
    ...{ host, pid },
    ...(worker === undefined ? {} : { worker }),
    startedAt,
    state: sighting?.isLost === true ? 'lost' : 'live',
    ...(summary === own ? { self: true } : {}),
    lastSeen: sighting?.lastSeen ?? now,
    ...(type === undefined || minute === undefined
      ? {}
      : { requests: { type, perSecond: round(minute.count / secondsOf(summary)), minute } }),
    findings: findings.length,
  };
}

/** The length of the last minute of an instance, which may have begun to count within it. */
function secondsOf({ countingSince, publishedAt }: InstanceSummary): number {
  return Math.min(SECONDS, Math.max(1, (publishedAt - countingSince) / 1000));
}

/** Incoming requests, otherwise the kind of handler that is called most. */
function requestType(summaries: readonly InstanceSummary[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { types } of summaries) {
    for (const { type, lifetime } of types)
      if (HANDLERS.has(type)) counts.set(type, (counts.get(type) ?? 0) + lifetime.totals.count);
  }
  if ((counts.get(HTTP) ?? 0) > 0) return HTTP;
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

/** The one that started last first. */
function versionsOf(summaries: readonly InstanceSummary[], type: string | undefined): FleetVersion[] {
  const groups = new Map<string | undefined, InstanceSummary[]>();
  for (const summary of summaries)
    groups.set(summary.version, [...(groups.get(summary.version) ?? []), summary]);
  return [...groups]
    .map(([version, group]): FleetVersion => {
      const figures = group.flatMap(({ types }) => types.filter((one) => one.type === type));
      return {
        ...(version === undefined ? {} : { version }),
        instances: group.length,
        startedAt: Math.max(...group.map(({ startedAt }) => startedAt)),
        ...(type === undefined || figures.length === 0
          ? {}
          : { requests: { type, minute: sumOf(figures, 'minute'), lifetime: sumOf(figures, 'lifetime') } }),
      };
    })
    .sort((a, b) => b.startedAt - a.startedAt)
    .slice(0, MAX_VERSIONS);
}

function sumOf(all: readonly TypeFigures[], window: 'minute' | 'lifetime'): ReturnType<typeof summaryOf> {
  const sum: Figures = newFigures();
  for (const figures of all) addFigures(sum, figures[window]);
  return summaryOf(sum);
}

function slowOf(summaries: readonly InstanceSummary[]): FleetSlowOperation[] {
  return summaries
    .flatMap(({ id, slow }) => slow.map((one) => ({ ...one, instance: id })))
    .sort((a, b) => b.timestamp - a.timestamp)
    .slice(0, MAX_SLOW);
}
