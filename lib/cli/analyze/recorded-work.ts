import type { Attributes } from '@opentelemetry/api';
import type { OperationType } from '../../operation/operation.js';
import { type ClassifiableSpan, rawStatement } from '../../spans/classify.js';
import { inputsOf } from '../../spans/inputs.js';
import type { StatementCache } from '../../spans/statement.js';
import type { Inputs } from '../../spans/work-group.js';
import { type DescribedWork, describeWork } from '../../spans/work-key.js';

/**
 * What stands in a statement for a value that is bound, or that was taken out before it was recorded, in any
 * language: `?`, `$1`, `:id`, `:1`, `@id`, `%s`, `%(id)s`, `{}`, `#{id}`, `***`, `<redacted>`.
 */
const PLACEHOLDER = /\?|\$\d|(?<!:):\w|@\w|%(?:s|d|\(\w+\)s)|\{|\*{3}|<\w+>/;
const PARAMETER = /^db\.(?:query\.parameter|statement\.parameter)\./;

/**
 * Describes the work of a recorded span. As the live library does, and with what may be elsewhere: the values
 * in attributes, or removed from the statement. Nothing for a database span that does not tell what it asked.
 */
export function describeRecorded(
  type: OperationType,
  span: ClassifiableSpan,
  statements: StatementCache,
): DescribedWork | undefined {
  const { attributes } = span;
  if (type === 'database' && !tellsWhat(attributes)) return undefined;
  const described = describeWork(type, span, statements);
  if (described === undefined) return undefined;
  const told = type === 'database' ? valuesOf(attributes) : undefined;
  if (told !== undefined) return { key: described.key, inputs: told };
  const text = type === 'database' ? rawStatement(attributes) : undefined;
  if (text !== undefined && PLACEHOLDER.test(text)) return { key: described.key, inputs: undefined };
  return described;
}

/** An operation alone, `SELECT`, does not tell one query from another. */
function tellsWhat(attributes: Attributes): boolean {
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
