import type { FleetInstance, FleetView } from '../../fleet/fleet-view.js';
import { ago, duration, megabytes, NONE, number, percent, share } from './format.js';
import { address } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';
import { useFleet } from './use-fleet.js';

/** The instances on the overview, if there are several, or something is wrong with their store. */
export function Instances({ at }: { at: number }) {
  const fleet = useFleet(at);
  if (fleet === undefined) return null;
  const { instances, store, ignored } = fleet;
  if (instances.length < 2 && store.problem === undefined && ignored === 0) return null;
  return (
    <Section
      id="instances"
      title="Instances"
      count={instances.length}
      aside={<a href={address({ page: 'instances' })}>Operations and findings of all instances</a>}
    >
      <InstanceTable fleet={fleet} />
    </Section>
  );
}

/** The instances side by side, and what is missing from them. */
export function InstanceTable({ fleet }: { fleet: FleetView }) {
  const { instances, omitted, ignored, store, at } = fleet;
  return (
    <>
      <div class="panel padded table-scroll">
        <table class="plain">
          <caption class="hidden">Instances of {visible(fleet.service, 100)} side by side</caption>
          <thead>
            <tr>
              <th scope="col">Instance</th>
              <th scope="col">Version</th>
              <th scope="col" title="Requests per second in the last minute">
                Requests/s
              </th>
              <th scope="col" title="95 % of the requests of the last minute took no longer">
                p95
              </th>
              <th scope="col" title="Failed requests in the last minute">
                Errors
              </th>
              <th scope="col" title="Percent of one core">
                CPU
              </th>
              <th scope="col" title="Share of the last second in which the event loop was busy">
                Event loop
              </th>
              <th scope="col" title="Resident memory">
                Memory
              </th>
              <th scope="col">Started</th>
              <th scope="col">Last seen</th>
            </tr>
          </thead>
          <tbody>
            {instances.map((instance) => (
              <InstanceRow key={`${instance.id} ${instance.startedAt}`} instance={instance} now={at} />
            ))}
          </tbody>
        </table>
      </div>
      {store.problem !== undefined && (
        <p class="note">Other instances cannot be read: {visible(store.problem, 300)}</p>
      )}
      {omitted > 0 && <p class="note">{number(omitted)} further instances are not listed.</p>}
      {ignored > 0 && (
        <p class="note">
          {number(ignored)} entries of the store are ignored: they are damaged, or of another version of this
          package.
        </p>
      )}
    </>
  );
}

function InstanceRow({ instance, now }: { instance: FleetInstance; now: number }) {
  const { id, version, requests, cpuPercent, eventLoopUtilization, rssMb, startedAt, lastSeen } = instance;
  const isLost = instance.state === 'lost';
  const minute = requests?.minute;
  return (
    <tr>
      <th scope="row">
        <span class="mono" title={visible(id, 300)}>
          {nameOf(instance)}
        </span>{' '}
        {instance.self === true && <span class="chip">this one</span>}
        {isLost && <span class="chip bad">lost</span>}
      </th>
      <td class="mono">{version === undefined ? NONE : visible(version, 40)}</td>
      <td>{isLost ? NONE : number(requests?.perSecond)}</td>
      <td>{isLost ? NONE : duration(minute?.p95)}</td>
      <td class={!isLost && (minute?.errorCount ?? 0) > 0 ? 'bad' : undefined}>
        {isLost ? NONE : number(minute?.errorCount)}
      </td>
      <td>{isLost ? NONE : percent(cpuPercent)}</td>
      <td>{isLost || eventLoopUtilization === undefined ? NONE : share(eventLoopUtilization)}</td>
      <td>{megabytes(rssMb)}</td>
      <td>{ago(startedAt, now)}</td>
      <td class={isLost ? 'bad' : undefined}>{ago(lastSeen, now)}</td>
    </tr>
  );
}

/** `web-1 · worker 2 · 4711` */
export function nameOf({ host, pid, worker }: Pick<FleetInstance, 'host' | 'pid' | 'worker'>): string {
  const parts = [
    visible(host, 60),
    ...(worker === undefined ? [] : [`worker ${visible(worker, 32)}`]),
    `${pid}`,
  ];
  return parts.join(' · ');
}
