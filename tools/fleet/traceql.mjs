// TraceQL by Grafana's own grammar, and what its conditions select of spans in OTLP/JSON. For where there is no Tempo.
import { parser } from '@grafana/lezer-traceql';

const COMPARE = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};
const STATUS = ['unset', 'ok', 'error'];

/**
 * The conditions of a query of the form `{ FIELD OP VALUE && … } | select(FIELD, …)`.
 * @throws Error if it is not TraceQL, and for other forms
 */
export function parseTraceQl(query) {
  const text = (node) => query.slice(node.from, node.to);
  const conditions = [];
  const selected = [];
  const tree = parser.parse(query);
  tree.iterate({
    enter({ type, from }) {
      if (type.isError) throw new Error(`No TraceQL at ${from}: ${query}`);
    },
  });
  tree.iterate({
    enter(node) {
      if (node.name === 'Or' || node.name === 'Not') throw new Error(`Unsupported ${node.name}: ${query}`);
      const { node: at } = node;
      if (node.name === 'AttributeField' && within(at, 'SelectOperation')) selected.push(text(at));
      const operator = node.name === 'FieldExpression' ? at.getChild('FieldOp') : null;
      if (operator === null) return;
      const [field, value] = at.getChildren('FieldExpression').map(text);
      conditions.push({ field, operator: text(operator), value: literalOf(value) });
    },
  });
  if (conditions.length === 0) throw new Error(`No condition: ${query}`);
  return { conditions, selected };
}

/** Whether one span satisfies all conditions. Values of different types are not equal, as in Tempo. */
export function matches({ conditions }, span) {
  return conditions.every(({ field, operator, value }) => {
    const actual = fieldOf(field, span);
    if (value === undefined) return COMPARE[operator](actual, value);
    return typeof actual === typeof value && COMPARE[operator](actual, value);
  });
}

/** @param {{ span: object, resource: object }} span attributes as plain values; `status` as in OTLP */
export function fieldOf(field, { span, resource, status }) {
  if (field === 'status') return STATUS[status ?? 0];
  if (field.startsWith('span.')) return span[field.slice('span.'.length)];
  if (field.startsWith('resource.')) return resource[field.slice('resource.'.length)];
  throw new Error(`Unsupported field: ${field}`);
}

function literalOf(text) {
  if (text === 'nil') return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text.startsWith('"')) return JSON.parse(text);
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function within(node, name) {
  for (let above = node.parent; above !== null; above = above.parent) if (above.name === name) return true;
  return false;
}
