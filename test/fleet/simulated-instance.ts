import { Deadline } from '../../lib/async/deadline.js';
import type { KeyValueStore } from '../../lib/baseline/baseline-options.js';
import type { Observation } from '../../lib/explain/finding.js';
import { Findings } from '../../lib/explain/findings.js';
import type { DetailedSlowOperation } from '../../lib/explain/slow-operation.js';
import { Fleet } from '../../lib/fleet/fleet.js';
import { SlowOperations } from '../../lib/monitor/slow-operations.js';
import type { Instance } from '../../lib/operation/instance.js';
import { ResourceSampler } from '../../lib/process/resource-sampler.js';
import type { ProfileInfo } from '../../lib/profiling/profile-info.js';
import { Statistics } from '../../lib/statistics/statistics.js';

/** The files of profiles of an instance. */
export interface SimulatedProfiles {
  get(id: string, maxBytes: number): { info: ProfileInfo; text?: string } | undefined;
}

export interface SimulatedInstance {
  readonly fleet: Fleet;
  readonly statistics: Statistics;
  readonly findings: Findings;
  readonly slow: SlowOperations;
  readonly resources: ResourceSampler;
  readonly warnings: string[];
  stop(): Promise<void>;
}

/** An instance of the service `shop` within this process. */
export function simulated(
  name: string,
  where: { directory: string; isChosen?: boolean } | { store: KeyValueStore },
  {
    version,
    worker,
    service = 'shop',
    profiles = { get: () => undefined },
  }: { version?: string; worker?: string; service?: string; profiles?: SimulatedProfiles } = {},
): SimulatedInstance {
  const statistics = new Statistics(1000);
  const findings = new Findings(100, (error) => {
    throw error;
  });
  const slow = new SlowOperations(100, (error) => {
    throw error;
  });
  const resources = new ResourceSampler(250);
  const instance: Instance = {
    id: name,
    key: `${name}-1-0123456789ab`,
    host: 'host',
    pid: 1,
    ...(worker === undefined ? {} : { worker }),
    startedAt: Date.now() - 60_000,
  };
  const fleet = new Fleet(
    {
      enabled: true,
      directory: '',
      store: undefined,
      publishSeconds: 5,
      isChosen: true,
      alerts: false,
      ...where,
    },
    {
      service,
      version,
      instance,
      statistics,
      resources,
      countingSince: () => instance.startedAt,
      findings: (limit) => findings.list({ limit }),
      slowOperations: (limit) => slow.list(limit),
      slowOperation: (id) => slow.get(id),
      profile: async (id, maxBytes) => profiles.get(id, maxBytes),
    },
    (error) => {
      throw error;
    },
  );
  const warnings: string[] = [];
  fleet.warn = (message) => warnings.push(message);
  return {
    fleet,
    statistics,
    findings,
    slow,
    resources,
    warnings,
    stop: () => fleet.shutdown(new Deadline(1000)),
  };
}

/** Counts calls of an operation, now. */
export function counted(
  { statistics }: SimulatedInstance,
  name: string,
  durationsMs: readonly number[],
  { type = 'http', limitMs = 100 } = {},
): void {
  const now = performance.now();
  for (const ms of durationsMs) statistics.record(type, name, ms, ms > limitMs, ms > 900, now, limitMs);
}

export function observed(
  { findings }: SimulatedInstance,
  given: Partial<Observation> = {},
  at = Date.now(),
): void {
  const observation: Observation = {
    type: 'n_plus_one',
    fingerprint: 'select * from track where id = ?',
    route: 'GET /albums',
    repetitions: 12,
    ms: 60,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    explanation: 'The same statement ran 12 times.',
    ...given,
  };
  findings.observe(observation, undefined, at);
}

export function mapStore(): KeyValueStore & { readonly values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  return {
    values,
    get: async (key) => values.get(key),
    set: async (key, value) => values.set(key, value),
    delete: async (key) => values.delete(key),
  };
}

/** A slow operation as it is kept. */
export function slowOperation(id: string, more: Partial<DetailedSlowOperation> = {}): DetailedSlowOperation {
  return {
    id,
    timestamp: Date.now(),
    ...{
      type: 'http',
      name: 'GET /albums',
      durationMs: 400,
      thresholdMs: 100,
      slownessRatio: 4,
      error: false,
    },
    ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: id },
    ...{ cause: 'cpu', causeShare: 1, explanation: 'CPU work took 400 ms.' },
    causes: [{ cause: 'cpu', share: 1, ms: 400, certainty: 'measured' }],
    ...more,
  };
}
