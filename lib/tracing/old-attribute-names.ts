import { type Attributes, type AttributeValue, SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { AttributeNames, ResolvedTracingOptions } from '../monitor/tracing-options.js';
import { SCOPE } from '../spans/tracing-runtime.js';

type Conventions = ResolvedTracingOptions['semanticConventions'];
/** Old names by the stable ones. */
type OldNames = ReadonlyMap<string, string>;

/** The names in version 1.20 of the semantic conventions. */
const HTTP: OldNames = new Map([
  ['http.request.method', 'http.method'],
  ['http.response.status_code', 'http.status_code'],
  ['url.path', 'http.target'],
  ['url.scheme', 'http.scheme'],
  ['url.full', 'http.url'],
  ['user_agent.original', 'http.user_agent'],
  ['client.address', 'http.client_ip'],
  ['server.address', 'net.host.name'],
  ['server.port', 'net.host.port'],
]);
/** Of an outgoing request, whose server is the peer. */
const HTTP_CLIENT: OldNames = new Map([
  ...HTTP,
  ['server.address', 'net.peer.name'],
  ['server.port', 'net.peer.port'],
  ['network.peer.address', 'net.sock.peer.addr'],
  ['network.peer.port', 'net.sock.peer.port'],
  ['network.protocol.version', 'http.flavor'],
]);
const DATABASE: OldNames = new Map([
  ['db.system.name', 'db.system'],
  ['db.namespace', 'db.name'],
  ['db.query.text', 'db.statement'],
  ['db.operation.name', 'db.operation'],
  ['server.address', 'net.peer.name'],
  ['server.port', 'net.peer.port'],
]);
/** The systems that have another name as well. */
const SYSTEMS: ReadonlyMap<AttributeValue | undefined, string> = new Map([
  ['microsoft.sql_server', 'mssql'],
  ['oracle.db', 'oracle'],
]);

/** Whether any exported span has old names. */
export function hasOldNames({ http, database }: Conventions): boolean {
  return http !== 'stable' || database !== 'stable';
}

/** An exporter of spans with old names of attributes: only of those that this package creates, and only when they are exported. */
export function withOldNames(exporter: SpanExporter, conventions: Conventions): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(
        spans.map((span) => renamed(span, conventions)),
        done,
      ),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

function renamed(span: ReadableSpan, { http, database }: Conventions): ReadableSpan {
  const { attributes, instrumentationScope, kind } = span;
  if (instrumentationScope.name !== SCOPE.name) return span;
  let added: Attributes | undefined;
  if (attributes['db.system.name'] !== undefined) added = named(attributes, DATABASE, database);
  else if (attributes['http.request.method'] !== undefined)
    added = named(attributes, kind === SpanKind.CLIENT ? HTTP_CLIENT : HTTP, http);
  // The span itself remains as it is: others may read it.
  return added === undefined ? span : Object.create(span, { attributes: { value: added, enumerable: true } });
}

/** Undefined if the names remain. */
function named(given: Attributes, names: OldNames, which: AttributeNames): Attributes | undefined {
  if (which === 'stable') return undefined;
  const entries = Object.entries(given).flatMap(([name, value]): [string, AttributeValue | undefined][] => {
    const old = names.get(name);
    if (old === undefined || Object.hasOwn(given, old)) return [[name, value]];
    const renamed = old === 'db.system' ? (SYSTEMS.get(value) ?? value) : value;
    return which === 'old'
      ? [[old, renamed]]
      : [
          [name, value],
          [old, renamed],
        ];
  });
  return Object.fromEntries(entries);
}
