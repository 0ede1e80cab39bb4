import type { Attributes } from '@opentelemetry/api';
import { rawStatement } from '../../spans/classify.js';
import { inputsOf } from '../../spans/inputs.js';
import type { SpanDescription } from '../../spans/span-description.js';
import { inputsWith } from '../../spans/statement.js';
import { isJson } from '../../spans/statement-tokens.js';
import type { Inputs, WorkKey } from '../../spans/work-group.js';

/**
 * Placeholders for bound or redacted values in any language: `?`, `$1`, `:id`, `:1`, `@id`, `%s`, `%(id)s`, `{}`,
 * `#{id}`, `***`, `<redacted>`.
 */
const PLACEHOLDER = /\?|\$\d|(?<![:\w]):\w|@\w|%(?:s|d|\(\w+\)s)|\{|\*{3}|<\w+>/;
/** A string, a quoted name or a comment. */
const QUOTED = /'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"[^"]*(?:"|$)|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)/g;
/** A string that only consists of a placeholder, as some instrumentations write it. */
const QUOTED_PLACEHOLDER = /^['"](?:\?|[$:@]\w{1,30}|%s|#?\{\w{0,30}\}|\*{3,8}|<\w{1,30}>)['"]$/;
const PARAMETER = /^db\.(?:query\.parameter|statement\.parameter)\./;

/**
 * Describes the work of a recorded span as the live library does. Its values may be in attributes or redacted. Undefined
 * for a database span without a statement.
 */
export function describeRecorded(
  { type, key, inputs, statement }: SpanDescription,
  attributes: Attributes,
): { readonly key: WorkKey; readonly inputs: Inputs | undefined } | undefined {
  if (key === undefined) return undefined;
  if (type !== 'database') return { key, inputs };
  if (!identifiesQuery(attributes)) return undefined;
  const values = valuesOf(attributes);
  const bound = values === undefined ? undefined : inputsOf(values);
  if (values !== undefined)
    return { key, inputs: statement === undefined ? bound : inputsWith(statement, bound) };
  const text = rawStatement(attributes);
  return { key, inputs: text !== undefined && hasPlaceholder(text) ? undefined : inputs };
}

/** Whether values of a statement are bound or redacted. `'a@b.c'` and `'why?'` are literals. */
function hasPlaceholder(text: string): boolean {
  if (!PLACEHOLDER.test(text)) return false;
  return isJson(text) || PLACEHOLDER.test(text.replace(QUOTED, keepPlaceholder));
}

function keepPlaceholder(quoted: string): string {
  return QUOTED_PLACEHOLDER.test(quoted) ? '?' : ' ';
}

/** Whether the attributes identify the query. The operation alone (`SELECT`) does not. */
function identifiesQuery(attributes: Attributes): boolean {
  return (
    rawStatement(attributes) !== undefined ||
    typeof attributes['db.query.summary'] === 'string' ||
    attributes['db.collection.name'] !== undefined ||
    attributes['db.mongodb.collection'] !== undefined ||
    attributes['db.sql.table'] !== undefined
  );
}

/** A query's recorded parameter values, in the order of their names. */
function valuesOf(attributes: Attributes): readonly unknown[] | undefined {
  const values = attributes['db.postgresql.values'];
  if (Array.isArray(values)) return values;
  const parameters = Object.entries(attributes).filter(([key]) => PARAMETER.test(key));
  if (parameters.length === 0) return undefined;
  parameters.sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }));
  return parameters.map(([, value]) => value);
}

/** Names of spans that prepare a statement, and of those that execute one. */
const PREPARES = /(?:^|[^a-z])prepare(?:[ _]?(?:statement|query|context))?(?![a-z])/i;
const EXECUTES = /exec|query|\brun\b|step\b|stmt|statement|^(?:select|insert|update|delete|call)\b/i;
/** Names of spans of a database that execute no query, and so need no statement. */
const NO_QUERY =
  /connect|acquire|transaction|\b(?:begin|commit|rollback|ping|close)\b|fetch|bind|next|free|reset|deallocate|finalize/i;
/** Longer names are statements. */
const MAX_NAME = 60;

/** The part of a span in a statement that is prepared first and executed later, by its name. */
export function partOf(name: string, attributes: Attributes): 'prepare' | 'execute' | undefined {
  const operation = attributes['db.operation.name'] ?? attributes['db.operation'];
  const isPrepare =
    name.length <= MAX_NAME && !/^(?:select|insert|update|delete|with)\b/i.test(name) && PREPARES.test(name);
  if (isPrepare || /^prepare$/i.test(String(operation ?? ''))) return 'prepare';
  if (rawStatement(attributes) !== undefined || !needsStatement(name)) return undefined;
  return EXECUTES.test(name) || /^execute$/i.test(String(operation ?? '')) ? 'execute' : undefined;
}

/** Whether a span of a database with this name executes a query. */
export function needsStatement(name: string): boolean {
  return !NO_QUERY.test(name);
}
