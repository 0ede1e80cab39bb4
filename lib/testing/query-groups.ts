import type { CallSite } from '../code/call-site.js';
import type { RecordedQuery, RecordedRoot } from './recording.js';

/** Limits of a message: groups, call sites per group, and characters of a statement. */
const MAX_GROUPS = 10;
const MAX_PLACES = 3;
const MAX_STATEMENT = 300;

/** Queries with one statement within one request, or outside of any. */
export interface QueryGroup {
  readonly root: RecordedRoot | undefined;
  readonly statement: string;
  readonly queries: RecordedQuery[];
}

/** Groups queries by statement and request, the largest group first. */
export function groupByRequest(queries: readonly RecordedQuery[]): QueryGroup[] {
  return groupBy(queries, ({ root }) => root?.id ?? '');
}

/** Groups queries by statement and route, the largest group first. */
export function groupByRoute(queries: readonly RecordedQuery[]): QueryGroup[] {
  return groupBy(queries, ({ root }) => root?.name ?? '');
}

function groupBy(
  queries: readonly RecordedQuery[],
  requestOf: (query: RecordedQuery) => string,
): QueryGroup[] {
  const groups = new Map<string, QueryGroup>();
  for (const query of queries) {
    const key = `${requestOf(query)}\n${query.statement}`;
    const group = groups.get(key);
    if (group === undefined)
      groups.set(key, { root: query.root, statement: query.statement, queries: [query] });
    else group.queries.push(query);
  }
  return [...groups.values()].sort((a, b) => b.queries.length - a.queries.length);
}

/** Describes groups: count, request, statement and call sites. */
export function listGroups(groups: readonly QueryGroup[]): string {
  const shown = groups.slice(0, MAX_GROUPS).map(listGroup);
  if (groups.length > MAX_GROUPS) shown.push(`  and ${groups.length - MAX_GROUPS} more`);
  return shown.join('\n\n');
}

function listGroup({ root, statement, queries }: QueryGroup): string {
  const many = queries.length > 1;
  const short = statement.length > MAX_STATEMENT ? `${statement.slice(0, MAX_STATEMENT - 1)}…` : statement;
  const lines = [
    `  ${queries.length} ${many ? 'times' : 'time'} ${root === undefined ? 'outside of any request' : `within ${root.name}`}:`,
    `    ${short}`,
    ...placesOf(queries).map((place) => `    at ${place}`),
  ];
  const failed = queries.filter(({ error }) => error).length;
  if (failed > 0) lines.push(`    ${failed} of them failed`);
  const hint = many ? hintOf(queries) : undefined;
  if (hint !== undefined) lines.push(`    ${hint}`);
  return lines.join('\n');
}

/** The call sites of queries, sorted by count. */
function placesOf(queries: readonly RecordedQuery[]): string[] {
  const byLine = new Map<string, RecordedQuery[]>();
  for (const query of queries) {
    if (query.callSite === undefined) continue;
    const line = lineOf(query.callSite);
    const same = byLine.get(line);
    if (same === undefined) byLine.set(line, [query]);
    else same.push(query);
  }
  const places = [...byLine].sort(([, a], [, b]) => b.length - a.length);
  const shown = places.slice(0, MAX_PLACES).map(([line, same]) => {
    const share = places.length === 1 ? '' : `: ${same.length} of them`;
    return `${line}${callerOf(same)}${share}`;
  });
  if (places.length > MAX_PLACES) shown.push(`${places.length - MAX_PLACES} more call sites`);
  return shown;
}

/** The caller, if all queries share one. A caller that does not await is not visible after an `await`. */
function callerOf(queries: readonly RecordedQuery[]): string {
  const callers = new Set<string>();
  for (const { calledFrom } of queries) if (calledFrom !== undefined) callers.add(lineOf(calledFrom));
  const [only] = callers;
  return only === undefined || callers.size > 1 ? '' : `, called from ${only}`;
}

function hintOf(queries: readonly RecordedQuery[]): string | undefined {
  const values = queries.map((query) => query.values);
  if (values.includes(undefined)) return undefined;
  return new Set(values).size === 1
    ? 'with the same values each time: query once and reuse the result'
    : 'with different values each time: query all at once (a join, IN, a DataLoader)';
}

/** `AlbumsService.withTracks (src/albums.service.ts:42)`, which terminals turn into a link. */
export function lineOf({ function: name, file, line }: CallSite): string {
  return `${name} (${file}:${line})`;
}
