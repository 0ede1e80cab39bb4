import type { Attributes } from '@opentelemetry/api';
import { rawStatement } from '../../spans/classify.js';
import { inputsOf } from '../../spans/inputs.js';
import type { SpanDescription } from '../../spans/span-description.js';
import type { Inputs, WorkKey } from '../../spans/work-group.js';

/**
 * Placeholders for bound or redacted values in any language: `?`, `$1`, `:id`, `:1`, `@id`, `%s`, `%(id)s`, `{}`,
 * `#{id}`, `***`, `<redacted>`.
 */
const PLACEHOLDER = /\?|\$\d|(?<!:):\w|@\w|%(?:s|d|\(\w+\)s)|\{|\*{3}|<\w+>/;
const PARAMETER = /^db\.(?:query\.parameter|statement\.parameter)\./;

/**
 * Describes the work of a recorded span as the live library does. Its values may be in attributes or redacted. Undefined
 * for a database span without a statement.
 */
export function describeRecorded(
  { type, key, inputs }: SpanDescription,
  attributes: Attributes,
): { readonly key: WorkKey; readonly inputs: Inputs | undefined } | undefined {
  if (key === undefined) return undefined;
  if (type !== 'database') return { key, inputs };
  if (!identifiesQuery(attributes)) return undefined;
  const values = valuesOf(attributes);
  if (values !== undefined) return { key, inputs: values };
  const text = rawStatement(attributes);
  return { key, inputs: text !== undefined && PLACEHOLDER.test(text) ? undefined : inputs };
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

/** Hashes of a query's recorded parameter values. */
function valuesOf(attributes: Attributes): Inputs | undefined {
  const values = attributes['db.postgresql.values'];
  if (Array.isArray(values)) return inputsOf(values);
  const parameters = Object.entries(attributes).filter(([key]) => PARAMETER.test(key));
  if (parameters.length === 0) return undefined;
  parameters.sort(([one], [other]) => (one < other ? -1 : 1));
  return inputsOf(parameters.map(([, value]) => value));
}
