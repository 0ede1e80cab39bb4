import type { ComponentChildren } from 'preact';
import type { Overview, OverviewResources } from '../overview.js';
import { CallSiteLine } from './call-site.js';
import type { FindingItem } from './finding-items.js';
import { megabytes, number, percent } from './format.js';
import { CriticalIcon, HealthyIcon, IdleIcon, WarningIcon } from './icons.js';
import { firstFinding, stepOf } from './next-step.js';
import { address } from './route.js';
import { visible } from './text.js';

const STATES = {
  idle: { word: 'Waiting', tone: 'idle', Icon: IdleIcon },
  healthy: { word: 'Healthy', tone: 'good', Icon: HealthyIcon },
  degraded: { word: 'Degraded', tone: 'warn', Icon: WarningIcon },
  unhealthy: { word: 'Unhealthy', tone: 'bad', Icon: CriticalIcon },
} as const;

/** The health of the application in a sentence, with its key figures. */
export function Health({ overview }: { overview: Overview }) {
  const { state, sentence } = overview.health;
  const { word, tone, Icon } = STATES[state];
  const first = firstFinding(overview);
  return (
    <section class={`panel health ${tone}`} aria-label="Health">
      <p class="verdict">
        <span class={`badge ${tone}`}>
          <Icon />
          {word}
        </span>
        <span class="sentence">{visible(sentence)}</span>
      </p>
      {first !== undefined && <NextStep first={first} overview={overview} />}
      <dl class="tiles">{tilesOf(overview)}</dl>
    </section>
  );
}

/** The line to change, and how. */
function NextStep({ first, overview }: { first: FindingItem; overview: Overview }) {
  const { subject, callSite } = first;
  const operation = overview.operations.find(({ name }) => name === subject?.name);
  return (
    <div class="next-step">
      <p>
        <strong>Next step</strong> {visible(stepOf(first) ?? '')}{' '}
        {operation !== undefined && (
          <a href={address({ page: 'operation', type: operation.type, name: operation.name })}>
            {visible(operation.name, 100)}
          </a>
        )}
      </p>
      {callSite !== undefined && <CallSiteLine callSite={callSite} />}
    </div>
  );
}

function tilesOf({ lastMinute, resources }: Overview): ComponentChildren {
  const requests = lastMinute.find(({ type }) => type === 'http');
  const { count = 0, slowCount: slow = 0, slowPercentage, errorCount: errors = 0 } = requests ?? {};
  const heap = last(resources, 'heapUsedMb');
  const utilization = last(resources, 'eventLoopUtilization');
  return [
    <Tile key="requests" name="Requests per minute" value={number(count)} />,
    <Tile
      key="slow"
      name="Slow"
      value={percent(count === 0 ? undefined : slowPercentage)}
      tone={slow > 0 ? 'warn' : ''}
    />,
    <Tile
      key="errors"
      name="Failed"
      value={number(count === 0 ? undefined : errors)}
      tone={errors > 0 ? 'bad' : ''}
    />,
    <Tile
      key="loop"
      name="Event loop busy"
      value={percent(utilization === undefined ? undefined : utilization * 100)}
    />,
    <Tile key="cpu" name="CPU" value={percent(last(resources, 'cpuPercent'))} />,
    <Tile key="heap" name="Heap" value={megabytes(heap)} />,
  ];
}

function Tile({ name, value, tone = '' }: { name: string; value: string; tone?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={tone}>{value}</dd>
    </div>
  );
}

type ResourceName = Exclude<keyof OverviewResources, 'at' | 'heapLimitMb'>;

/** The latest known value of a column. */
export function last(resources: OverviewResources, name: ResourceName): number | undefined {
  return resources[name].findLast((value) => value !== null) ?? undefined;
}
