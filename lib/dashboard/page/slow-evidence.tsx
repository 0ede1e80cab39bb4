import type { SlowOperation } from '../../explain/slow-operation.js';
import type { OperationBaseline } from '../../operation/operation.js';
import type { ResourceEvidence } from '../../process/resource-sampler.js';
import type { HotFunction } from '../../profiling/hot-functions.js';
import { duration, megabytes, number, share } from './format.js';
import { shortPath, visible } from './text.js';

/** The duration compared with the threshold and the baseline of the operation. */
export function BaselineComparison(props: { operation: SlowOperation; baseline: OperationBaseline }) {
  const { durationMs, thresholdMs } = props.operation;
  const { p50Ms, p95Ms, ratio } = props.baseline;
  const rows = [
    { name: 'This execution', ms: durationMs, tone: 'comparison-this' },
    { name: 'Threshold', ms: thresholdMs, tone: 'comparison-threshold' },
    { name: 'Baseline p95', ms: p95Ms, tone: 'comparison-baseline' },
    { name: 'Baseline p50', ms: p50Ms, tone: 'comparison-baseline' },
  ];
  const most = Math.max(...rows.map(({ ms }) => ms));
  return (
    <div class="panel padded">
      <p class="facts top-facts">
        {ratio >= 1.1 ? `×${number(ratio)} the baseline p50` : 'Within its baseline'}
      </p>
      <dl class="comparison">
        {rows.map(({ name, ms, tone }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span class="comparison-track" aria-hidden="true">
                <span class={tone} style={{ width: `${Math.max(0.5, (ms / most) * 100)}%` }} />
              </span>
              {duration(ms)}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function optionalRow(name: string, ms: number | undefined): [string, string][] {
  return ms === undefined ? [] : [[name, duration(ms)]];
}

/** The resources of the process while the operation ran. */
export function ProcessState({ resources }: { resources: ResourceEvidence }) {
  const rows: [string, string][] = [
    ['Event loop utilization', share(resources.eventLoopUtilization)],
    ['Maximum event loop delay', duration(resources.eventLoopDelayMaxMs)],
    ['Garbage collection', duration(resources.gcPauseMs)],
    ['CPU time, user and system', `${duration(resources.cpuUserMs)} + ${duration(resources.cpuSystemMs)}`],
    ...optionalRow('CPU time of the main thread', resources.threadCpuMs),
    ...optionalRow('Waiting for a CPU', resources.cpuRunDelayMs),
    ...optionalRow('Stopped by the CPU limit', resources.cpuThrottledMs),
    ['Heap, used of total', `${megabytes(resources.heapUsedMb)} of ${megabytes(resources.heapTotalMb)}`],
    ['Resident memory', megabytes(resources.rssMb)],
  ];
  return (
    <dl class="panel padded legend">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The functions with the most CPU samples of the operation. */
export function HotFunctions({ functions }: { functions: readonly HotFunction[] }) {
  return (
    <dl class="panel padded legend">
      {functions.slice(0, 6).map((one, index) => (
        <div key={index}>
          <dt>
            <span class="mono">{visible(one.function, 120)}</span>{' '}
            <span class="soft mono">{placeOf(one)}</span>
          </dt>
          <dd>
            <strong>{share(one.share)}</strong>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function placeOf({ file, line, calledFrom }: HotFunction): string {
  if (calledFrom !== undefined)
    return visible(`from ${calledFrom.function} (${shortPath(calledFrom.file, 0)}:${calledFrom.line})`, 200);
  return file === undefined ? '' : visible(`${shortPath(file, 0)}:${line ?? ''}`, 200);
}
