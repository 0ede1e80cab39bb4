import type { ResourceEvidence } from '../../process/resource-sampler.js';
import { duration, megabytes, share } from './format.js';

/** What the process did while the operation ran. */
export function Facts({ resources }: { resources: ResourceEvidence }) {
  const rows: [string, string][] = [
    ['Event loop busy', share(resources.eventLoopUtilization)],
    ['Longest delay of the event loop', duration(resources.eventLoopDelayMaxMs)],
    ['Garbage collection', duration(resources.gcPauseMs)],
    ['CPU, user and system', `${duration(resources.cpuUserMs)} + ${duration(resources.cpuSystemMs)}`],
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
