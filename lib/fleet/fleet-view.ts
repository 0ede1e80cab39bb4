import type { Finding } from '../explain/finding.js';
import type { LatencySummary } from '../statistics/latency-summary.js';
import type { InstanceProcess, InstanceSummary, SlowHead } from './instance-summary.js';

/** The instances of a service, as one of them sees them: plain JSON. Times are milliseconds since 1970. */
export interface FleetView {
  at: number;
  service: string;
  /** The `service.instance.id` of the instance that answers. */
  self: string;
  /** `off`: the option `fleet.enabled` is false, and only this instance is listed. */
  store: { kind: 'off' | 'directory' | 'shared'; problem?: string };
  /** This one first, then those that are live, then those that are lost; of these, the one that started last first. */
  instances: FleetInstance[];
  /** Instances that are not listed, as there are too many, and entries of the store that are not valid summaries. */
  omitted: number;
  ignored: number;
  /** The figures of the live instances of each version, the one that started last first. */
  versions: FleetVersion[];
  /** The operations of all live instances, added; by excess time, then by total time. */
  operations: FleetOperation[];
  /** Of all instances, also lost ones; those that fail operations first, then by total time. */
  findings: FleetFinding[];
  /** Slow operations that each instance can show, the newest first. */
  slow: FleetSlowOperation[];
}

export interface FleetInstance
  extends Pick<InstanceSummary, 'id' | 'version' | 'host' | 'pid' | 'worker' | 'startedAt'>,
    InstanceProcess {
  /** `lost`: it has published nothing for four intervals. Its operations and resources are those of its last summary. */
  state: 'live' | 'lost';
  self?: true;
  lastSeen: number;
  /** Of incoming requests if there are any, otherwise of the kind of handler that is called most. */
  requests?: { type: string; perSecond: number; minute: LatencySummary };
  findings: number;
}

export interface FleetVersion {
  /** Absent if the instances do not know theirs. */
  version?: string;
  instances: number;
  startedAt: number;
  requests?: { type: string; minute: LatencySummary; lifetime: LatencySummary };
}

export interface FleetOperation {
  type: string;
  name: string;
  thresholdMs?: number;
  /** The number of live instances that list it. */
  instances: number;
  minute: LatencySummary;
  lifetime: LatencySummary;
  totalMs: number;
  excessMs: number;
  /** The same by version while several are live, in the order of `versions`. */
  versions?: { version?: string; minute: LatencySummary; lifetime: LatencySummary }[];
}

/** A finding with the sum of its occurrences. */
export interface FleetFinding extends Finding {
  /** The ids of the instances that have it, up to 20, and their number. */
  on: string[];
  instances: number;
}

export interface FleetSlowOperation extends SlowHead {
  /** The id of the instance. */
  instance: string;
}
