import type { ComponentChildren } from 'preact';
import type { OperationDetail } from '../operation-detail.js';
import { CallSiteLine } from './call-site.js';
import { CauseName } from './cause-name.js';
import { ago, duration, number, plural } from './format.js';
import { address, type Route } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';
import { TypeTag } from './type-tag.js';

/** A section with a table; nothing without rows. The first cell of a row is its heading. */
function Table(props: {
  id: string;
  title: string;
  head: readonly string[];
  rows: readonly (readonly ComponentChildren[])[];
  note?: string;
}) {
  const { id, title, head, rows, note } = props;
  if (rows.length === 0) return null;
  return (
    <Section id={id} title={title} count={rows.length}>
      <div class="panel padded table-scroll">
        <table class="plain">
          <thead>
            <tr>
              {head.map((text) => (
                <th key={text} scope="col">
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first, ...others], index) => (
              <tr key={index}>
                <th scope="row">{first}</th>
                {others.map((cell, at) => (
                  <td key={at}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {note !== undefined && <p class="note">{note}</p>}
      </div>
    </Section>
  );
}

/** What its slow executions, its failures and its calls are made of. */
export function OperationTables(props: {
  detail: OperationDetail;
  route: Route & { page: 'operation' };
  now: number;
}) {
  const { detail, route, now } = props;
  const { slow, errors, calls, statements, lines } = detail;
  return (
    <>
      <Table
        id="causes"
        title="Causes"
        head={['First cause', 'Executions', 'Time']}
        rows={slow.map(({ cause, count, totalMs }) => [
          count === 0 ? (
            <CauseName key={cause} cause={cause} />
          ) : (
            <a key={cause} href={address({ ...route, slow: { cause } })}>
              <CauseName cause={cause} />
            </a>
          ),
          number(count),
          duration(totalMs),
        ])}
        note="Time of the cause in all slow executions that are kept."
      />
      <Table
        id="errors"
        title="Errors"
        head={['Error', 'Failed', 'Latest']}
        rows={errors.map(({ error, explanation, callSite, count, lastSeen, id }) => [
          <div key={id}>
            <strong>{visible(error?.class ?? '', 100)}</strong> {visible(error?.message || explanation, 300)}
            {callSite !== undefined && <CallSiteLine callSite={callSite} />}
          </div>,
          number(count),
          ago(lastSeen, now),
        ])}
      />
      <Table
        id="calls"
        title="Calls below it"
        head={['Operation', 'Calls', 'Time']}
        rows={calls.list.map(({ type, name, count, ms }) => [
          <a key={name} class="name" href={address({ page: 'operation', type, name })}>
            <TypeTag type={type} /> {visible(name, 200)}
          </a>,
          number(count),
          duration(ms),
        ])}
        note={`Per execution, the mean of the newest ${plural(calls.executions, 'slow execution')}.`}
      />
      <Table
        id="statements"
        title="Statements"
        head={['Statement', 'Calls', 'p50', 'p95']}
        rows={statements.map(({ fingerprint, count, p50Ms, p95Ms, callSite }) => [
          <div key={fingerprint}>
            <code class="clamped" title={visible(fingerprint)}>
              {visible(fingerprint, 400)}
            </code>
            {callSite !== undefined && <CallSiteLine callSite={callSite} />}
          </div>,
          number(count),
          duration(p50Ms),
          duration(p95Ms),
        ])}
      />
      <Table
        id="lines"
        title="Lines"
        head={['Line of the application', 'Slow executions', 'Causes']}
        rows={lines.map(({ callSite, count, causes }) => [
          <CallSiteLine key={callSite.line} callSite={callSite} />,
          number(count),
          causes.map((cause) => <CauseName key={cause} cause={cause} />),
        ])}
      />
    </>
  );
}
