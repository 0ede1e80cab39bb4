import type { FleetFinding, FleetOperation, FleetVersion, FleetView } from '../../fleet/fleet-view.js';
import { CallSiteLine } from './call-site.js';
import { CauseName } from './cause-name.js';
import { DetailHead } from './detail-head.js';
import { ago, duration, NONE, number, percent } from './format.js';
import { InstanceTable } from './instances.js';
import { address } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';
import { TypeTag } from './type-tag.js';
import { useFleet } from './use-fleet.js';

/** All instances of the service, and what they know together. */
export function InstancesPage({ at }: { at: number }) {
  const fleet = useFleet(at);
  return (
    <>
      <DetailHead title="Instances" />
      {fleet === undefined ? <p class="panel empty">Loading…</p> : <Together fleet={fleet} />}
    </>
  );
}

function Together({ fleet }: { fleet: FleetView }) {
  const { instances, versions, operations, findings, slow, at } = fleet;
  const live = instances.filter(({ state }) => state === 'live').length;
  return (
    <>
      <Section id="side-by-side" title="Side by side" count={instances.length}>
        <InstanceTable fleet={fleet} />
      </Section>
      {versions.length > 1 && (
        <Section id="versions" title="Versions" count={versions.length}>
          <Versions versions={versions} />
        </Section>
      )}
      <Section id="all-operations" title="Operations of all live instances" count={operations.length}>
        <Operations operations={operations} live={live} />
      </Section>
      <Section id="all-findings" title="Findings of all instances" count={findings.length}>
        <Findings findings={findings} all={instances.length} now={at} />
      </Section>
      <Section id="all-slow" title="Slow operations of all instances" count={slow.length}>
        <Slow slow={slow} now={at} />
      </Section>
    </>
  );
}

function Versions({ versions }: { versions: readonly FleetVersion[] }) {
  return (
    <div class="panel padded table-scroll">
      <table class="plain">
        <caption class="hidden">Versions side by side, since start or the last reset</caption>
        <thead>
          <tr>
            {['Version', 'Instances', 'Requests', 'p50', 'p95', 'p99', 'Slow', 'Errors'].map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {versions.map(({ version, instances, requests }) => (
            <tr key={version}>
              <th scope="row" class="mono">
                {versionName(version)}
              </th>
              <td>{number(instances)}</td>
              <td>{number(requests?.lifetime.count)}</td>
              <Latencies figures={requests?.lifetime} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Operations({ operations, live }: { operations: readonly FleetOperation[]; live: number }) {
  if (operations.length === 0) return <p class="panel empty">No operations were recorded.</p>;
  return (
    <div class="panel padded table-scroll">
      <table class="plain">
        <caption class="hidden">Operations of all live instances, by excess time</caption>
        <thead>
          <tr>
            <th scope="col">Operation</th>
            {['Instances', 'Excess time', 'Calls/min', 'Calls', 'p50', 'p95', 'p99', 'Slow', 'Errors'].map(
              (label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {operations.map((operation) => (
            <OperationRows key={`${operation.type} ${operation.name}`} operation={operation} live={live} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function OperationRows({ operation, live }: { operation: FleetOperation; live: number }) {
  const { type, name, instances, excessMs, minute, lifetime, versions = [] } = operation;
  return (
    <>
      <tr>
        <th scope="row">
          <TypeTag type={type} /> <span class="name">{visible(name, 200)}</span>
        </th>
        <td>
          {number(instances)} of {number(live)}
        </td>
        <td>{excessMs > 0 ? duration(excessMs) : NONE}</td>
        <td>{number(minute.count)}</td>
        <td>{number(lifetime.count)}</td>
        <Latencies figures={lifetime} />
      </tr>
      {versions.map((one) => (
        <tr key={`${type} ${name} ${one.version}`} class="soft">
          <th scope="row" class="mono">
            {versionName(one.version)}
          </th>
          <td />
          <td />
          <td>{number(one.minute.count)}</td>
          <td>{number(one.lifetime.count)}</td>
          <Latencies figures={one.lifetime} />
        </tr>
      ))}
    </>
  );
}

function Latencies({ figures }: { figures: FleetOperation['lifetime'] | undefined }) {
  return (
    <>
      <td>{duration(figures?.p50)}</td>
      <td>{duration(figures?.p95)}</td>
      <td>{duration(figures?.p99)}</td>
      <td>{percent(figures?.slowPercentage)}</td>
      <td class={(figures?.errorCount ?? 0) > 0 ? 'bad' : undefined}>{number(figures?.errorCount)}</td>
    </>
  );
}

function Findings(props: { findings: readonly FleetFinding[]; all: number; now: number }) {
  const { findings, all, now } = props;
  if (findings.length === 0) return <p class="panel empty">None so far.</p>;
  return (
    <ul class="findings">
      {findings.map(
        ({ id, severity, route, explanation, callSite, count, totalMs, lastSeen, instances, on }) => (
          <li key={id} class={`panel finding ${severity}`}>
            <p class="finding-head">
              <span class={`severity ${severity}`}>{severity}</span>
              <strong title={visible(on.join(', '), 1000)}>
                on {number(instances)} of {number(all)} instances
              </strong>
              <span class="mono soft clip">{visible(route, 200)}</span>
            </p>
            <p class="explanation">{visible(explanation)}</p>
            {callSite !== undefined && <CallSiteLine callSite={callSite} />}
            <p class="facts">
              <span>found {number(count)}×</span>
              {totalMs > 0 && <span>total {duration(totalMs)}</span>}
              <span>last seen {ago(lastSeen, now)}</span>
            </p>
          </li>
        ),
      )}
    </ul>
  );
}

function Slow({ slow, now }: { slow: FleetView['slow']; now: number }) {
  if (slow.length === 0) return <p class="panel empty">No operation exceeded its threshold.</p>;
  return (
    <div class="panel">
      <ol class="slow-list">
        {slow.map(
          ({ id, timestamp, type, name, durationMs, thresholdMs, error, cause, explanation, instance }) => (
            <li key={id}>
              <span class="slow-when soft">{ago(timestamp, now)}</span>
              <span class="slow-name">
                <TypeTag type={type} />
                <a class="row-link name" href={address({ page: 'slow', id })}>
                  {visible(name, 200)}
                </a>
                {error && <span class="chip bad">failed</span>}
                <span class="soft mono clip">{visible(instance, 100)}</span>
              </span>
              <span class="slow-took">
                <strong>{duration(durationMs)}</strong>
                <small>×{number(durationMs / thresholdMs)}</small>
              </span>
              <span class="slow-why">
                <CauseName cause={cause} />
                <span class="soft">{visible(explanation, 400)}</span>
              </span>
            </li>
          ),
        )}
      </ol>
    </div>
  );
}

function versionName(version: string | undefined): string {
  return version === undefined ? 'unknown version' : visible(version, 60);
}
