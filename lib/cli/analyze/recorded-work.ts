import type { Attributes } from '@opentelemetry/api';
import { rawStatement } from '../../spans/classify.js';
import { inputsOf } from '../../spans/inputs.js';
import type { SpanDescription } from '../../spans/span-description.js';
import type { Inputs, WorkKey } from '../../spans/work-group.js';

/**
 * What stands in a statement for a value that is bound, or that was taken out before it was recorded, in any
 * language: `?`, `$1`, `:id`, `:1`, `@id`, `%s`, `%(id)s`, `{}`, `#{id}`, `***`, `<redacted>`.
 */
const PLACEHOLDER = /\?|\$\d|(?<!:):\w|@\w|%(?:s|d|\(\w+\)s)|\{|\*{3}|<\w+>/;
const PARAMETER = /^db\.(?:query\.parameter|statement\.parameter)\./;

/**
 * The work of a recorded span: as the live library describes it, with values that may be elsewhere, in attributes, or
 * removed from the statement. Nothing for a database span that does not say what it asked.
 */
export function describeRecorded(
  { type, key, inputs }: SpanDescription,
  attributes: Attributes,
): { readonly key: WorkKey; readonly inputs: Inputs | undefined } | undefined {
  if (key === undefined) return undefined;
  if (type !== 'database') return { key, inputs };
  if (!saysWhat(attributes)) return undefined;
  const values = valuesOf(attributes);
  if (values !== undefined) return { key, inputs: values };
  const text = rawStatement(attributes);
  return { key, inputs: text !== undefined && PLACEHOLDER.test(text) ? undefined : inputs };
}

/** An operation alone, `SELECT`, does not tell one query from another. */
function saysWhat(attributes: Attributes): boolean {
  return (
    rawStatement(attributes) !== undefined ||
    typeof attributes['db.query.summary'] === 'string' ||
    attributes['db.collection.name'] !== undefined ||
    attributes['db.mongodb.collection'] !== undefined ||
    attributes['db.sql.table'] !== undefined
  );
}

/** Hashes of the values that a query was made with, where they were recorded. */
function valuesOf(attributes: Attributes): Inputs | undefined {
  const values = attributes['db.postgresql.values'];
  if (Array.isArray(values)) return inputsOf(values);
  const parameters = Object.entries(attributes).filter(([key]) => PARAMETER.test(key));
  if (parameters.length === 0) return undefined;
  parameters.sort(([one], [other]) => (one < other ? -1 : 1));
  return inputsOf(parameters.map(([, value]) => value));
}
