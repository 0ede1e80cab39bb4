import type { Attributes } from '@opentelemetry/api';
import { errorWithoutValues } from '../text/error-text.js';
import { firstWord, HIDDEN, KEPT, Redaction, type Rule, ruleOf } from './attribute-rules.js';
import { rawStatement, templateIn } from './classify.js';
import type { SdkSpan } from './sdk-span.js';
import type { SpanDescription } from './span-description.js';
import { nameWithTemplate } from './span-name.js';
import type { StatementCache } from './statement.js';

/**
 * Removes values from a span: the literals of its statements, query strings, headers, bodies, credentials, and the values in
 * its errors, in its attributes, its name, its status, its events and its links. It must not have ended.
 * @param description of the span, as far as it has been described
 */
export function redact(span: SdkSpan, statements: StatementCache, description?: SpanDescription): void {
  const { attributes, status, events, links } = span;
  const of = new Redaction(attributes, statements, description);
  if (span.name !== undefined) redactName(span, of, description);
  redactAttributes(attributes, of);
  // Absent in the spans of some SDKs.
  if (status?.message !== undefined && status.message !== '')
    span.setStatus({ code: status.code, message: errorWithoutValues(status.message) });
  if (events !== undefined && events.length > 0)
    for (const event of events) {
      if (event.attributes !== undefined) redactAttributes(event.attributes, of);
      if (/["'=@?]/.test(event.name)) (event as { name: string }).name = errorWithoutValues(event.name);
    }
  if (links !== undefined && links.length > 0)
    for (const link of links) if (link.attributes !== undefined) redactAttributes(link.attributes, of);
}

/**
 * Removes all texts from a span that could not be redacted: what remains are the attributes that never contain a value, and
 * numbers. Writes the members of the span directly, because its methods may be what failed.
 */
export function withhold(span: SdkSpan): void {
  const writable = span as { -readonly [K in keyof SdkSpan]: SdkSpan[K] };
  attempt(() => {
    writable.name = '?';
  });
  attempt(() => {
    writable.attributes = withheld(span.attributes);
  });
  attempt(() => {
    if (span.status?.message !== undefined) writable.status = { code: span.status.code, message: '?' };
  });
  attempt(() => {
    for (const event of span.events ?? [])
      Object.assign(event, { name: '?', attributes: withheld(event.attributes) });
  });
  attempt(() => {
    for (const link of span.links ?? []) Object.assign(link, { attributes: withheld(link.attributes) });
  });
}

function withheld(attributes: Attributes = {}): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => {
      const rule = ruleOf(key);
      const isText = typeof value !== 'number' && typeof value !== 'boolean';
      return [key, rule === HIDDEN || (rule !== KEPT && isText) ? '?' : value];
    }),
  );
}

function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // The other members are still written.
  }
}

/** Written directly: the keys exist, and `setAttribute` would validate the values once more. */
function redactAttributes(attributes: Attributes, of: Redaction): void {
  // Before the message, which it repeats.
  const stack = attributes['exception.stacktrace'];
  if (typeof stack === 'string')
    attributes['exception.stacktrace'] = ruleOf('exception.stacktrace')(stack, of, attributes);
  for (const key of Object.keys(attributes)) {
    const rule = ruleOf(key);
    if (rule === KEPT) continue;
    const value = attributes[key];
    if (typeof value === 'string') {
      const cleaned = rule(value, of, attributes);
      if (cleaned !== value) attributes[key] = cleaned;
    } else if (Array.isArray(value)) {
      attributes[key] =
        rule === HIDDEN ? ['?'] : value.map((each) => cleanedItem(each, rule, of, attributes));
    } else if (rule === HIDDEN && value !== undefined) attributes[key] = '?';
  }
}

function cleanedItem(item: unknown, rule: Rule, of: Redaction, attributes: Attributes): string {
  return typeof item === 'string' ? rule(item, of, attributes) : (item as string);
}

function redactName(span: SdkSpan, of: Redaction, description: SpanDescription | undefined): void {
  const { name } = span;
  const { attributes } = of;
  const isDatabase =
    attributes['db.system.name'] !== undefined ||
    attributes['db.system'] !== undefined ||
    rawStatement(attributes) !== undefined;
  if (isDatabase) {
    if (COMMANDS.has(name)) return;
    if (!isNameOfCommand(name, of, description)) span.updateName(description?.name ?? firstWord(name));
    else if (COMMANDS.size < MAX_COMMANDS) COMMANDS.add(name);
  } else {
    const cleaned = nameWithTemplate(name, templateIn(attributes));
    if (cleaned !== name) span.updateName(cleaned);
  }
}

/** Whether the name of a database span is one word, or one and the names of what its attributes contain. */
function isNameOfCommand(name: string, of: Redaction, description: SpanDescription | undefined): boolean {
  const end = name.indexOf(' ');
  if (end < 0) return COMMAND.test(name);
  if (!COMMAND.test(name.slice(0, end))) return false;
  const { attributes } = of;
  const text = description?.statement?.text.toLowerCase() ?? '';
  return name
    .slice(end + 1)
    .split(/[\s.:/]+/)
    .every(
      (part) =>
        NAMES.some((key) => isValue(attributes, key, part)) ||
        (part !== '' && text.includes(part.toLowerCase())),
    );
}

function isValue(attributes: Attributes, key: string, text: string): boolean {
  const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  return value !== undefined && String(value) === text;
}

/** Names of database spans that contain no value. */
const COMMANDS = new Set<string>();
const MAX_COMMANDS = 2000;
const COMMAND = /^[\w.:/$*-]{1,100}$/;
const NAMES = [
  'db.namespace',
  'db.name',
  'db.collection.name',
  'db.mongodb.collection',
  'db.sql.table',
  'db.operation.name',
  'server.address',
  'server.port',
  'net.peer.name',
  'net.peer.port',
];
