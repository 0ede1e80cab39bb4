import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { OverviewOperation } from '../overview.js';
import { number } from './format.js';
import { COLUMNS, type Column, figuresOf } from './operation-columns.js';
import { OperationFilter } from './operation-filter.js';
import { address, DEFAULT_VIEW, replaceView, type View } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';
import { TypeTag } from './type-tag.js';

const SHOWN = 12;

/** The operations, filtered and sorted as `view` says. */
export function OperationsTable(props: {
  operations: OverviewOperation[];
  operationCount: number;
  view: View;
}) {
  const { operations, operationCount, view } = props;
  const [all, setAll] = useState(false);
  const body = useRef<HTMLTableSectionElement>(null);
  const found = operations.filter((one) => matches(one, view));
  const key = JSON.stringify(view);
  const rows = useHeldOrder(sorted(found, view), idOf, body, key);
  const shown = all ? rows : rows.slice(0, SHOWN);
  const mostExcessMs = operations.reduce((most, { excessMs }) => Math.max(most, excessMs), 1);
  const omitted = operationCount - operations.length;
  return (
    <Section
      id="operations"
      title="Operations"
      aside={<OperationFilter view={view} types={typesOf(props)} />}
    >
      <div class="panel table-scroll">
        <table class="operations">
          <caption class="hidden">Operations, sorted by {view.sort}</caption>
          <thead>
            <tr>
              <th scope="col">Operation</th>
              {COLUMNS.map((column) => (
                <Head key={column.key} column={column} view={view} />
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            {shown.map((operation) => (
              <Row key={idOf(operation)} operation={operation} view={view} mostExcessMs={mostExcessMs} />
            ))}
          </tbody>
        </table>
        {found.length === 0 && (
          <p class="empty">
            No matching operations.{' '}
            {view.text !== '' && (
              <a href={address({ page: 'overview', view: DEFAULT_VIEW, slow: { find: view.text } })}>
                Search the slow operations for {visible(view.text, 64)}
              </a>
            )}
          </p>
        )}
        {rows.length > SHOWN && (
          <button type="button" class="more" onClick={() => setAll(!all)}>
            {all ? `Show the first ${SHOWN}` : `Show all ${number(rows.length)}`}
          </button>
        )}
      </div>
      {omitted > 0 && <p class="note">{number(omitted)} less expensive operations are not listed.</p>}
    </Section>
  );
}

function Head({ column, view }: { column: Column; view: View }) {
  const { key, label, hint, from } = column;
  const isSorted = view.sort === key;
  const sort = isSorted ? (view.descending ? 'descending' : 'ascending') : undefined;
  const change = (): void =>
    replaceView({ ...view, sort: key, descending: isSorted ? !view.descending : true });
  return (
    <th scope="col" class={from} aria-sort={sort}>
      <button type="button" class="sort" onClick={change} title={hint}>
        {label}
        <span class="sort-mark" aria-hidden="true">
          {sort === 'ascending' ? '↑' : '↓'}
        </span>
      </button>
    </th>
  );
}

function Row(props: { operation: OverviewOperation; view: View; mostExcessMs: number }) {
  const { operation, view, mostExcessMs } = props;
  const { type, name } = operation;
  const figures = figuresOf(operation, view);
  return (
    <tr>
      <th scope="row">
        <TypeTag type={type} />
        <a class="row-link name" href={address({ page: 'operation', type, name })} title={visible(name, 300)}>
          {visible(name, 200)}
        </a>
      </th>
      {COLUMNS.map((column) => (
        <td key={column.key} class={column.from}>
          {column.show({ operation, figures, mostExcessMs })}
        </td>
      ))}
    </tr>
  );
}

/** The types of the listed operations. */
export function typesOf({ operations }: { readonly operations: readonly OverviewOperation[] }): string[] {
  return [...new Set(operations.map(({ type }) => type))].sort();
}

export function idOf({ type, name }: Pick<OverviewOperation, 'type' | 'name'>): string {
  return `${type} ${name}`;
}

export function matches({ type, name }: OverviewOperation, view: View): boolean {
  if (view.type !== '' && view.type !== type) return false;
  return name.toLowerCase().includes(view.text.trim().toLowerCase());
}

/**
 * Keeps the order of rows while a row has the focus or the pointer, so that nothing moves under a click. New rows come
 * last meanwhile.
 * @param key identifies the requested order; a change sorts the rows at once
 */
function useHeldOrder<T>(
  sorted: readonly T[],
  idOf: (row: T) => string,
  container: RefObject<HTMLElement | null>,
  key: string,
): readonly T[] {
  const held = useRef<{ key: string; ids: readonly string[] }>(undefined);
  const element = container.current;
  const isHeld =
    held.current?.key === key &&
    element !== null &&
    (element.contains(document.activeElement) || element.matches(':hover'));
  let rows = sorted;
  if (isHeld && held.current !== undefined) {
    const places = new Map(held.current.ids.map((id, index) => [id, index]));
    const placeOf = (row: T): number => places.get(idOf(row)) ?? places.size;
    rows = [...sorted].sort((a, b) => placeOf(a) - placeOf(b));
  }
  held.current = { key, ids: rows.map(idOf) };
  return rows;
}

/** Operations in the order of the view; those without the figure come last in either direction. */
export function sorted(operations: readonly OverviewOperation[], view: View): OverviewOperation[] {
  const column = COLUMNS.find(({ key }) => key === view.sort) ?? (COLUMNS[0] as Column);
  const sign = view.descending ? -1 : 1;
  return [...operations].sort((a, b) => {
    const first = column.value(a, figuresOf(a, view));
    const second = column.value(b, figuresOf(b, view));
    if (first === undefined || second === undefined)
      return Number(first === undefined) - Number(second === undefined) || b.totalMs - a.totalMs;
    return sign * (first - second) || b.totalMs - a.totalMs;
  });
}
