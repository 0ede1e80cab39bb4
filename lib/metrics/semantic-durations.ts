import type { Attributes } from '@opentelemetry/api';
import type { OperationType } from '../operation/operation.js';
import {
  attributeText,
  type DurationSeries,
  type SeriesBudget,
  SeriesTable,
  type Variant,
} from './series.js';

const NONE: Attributes = {};
/** The value that the conventions define for other errors and methods. */
const UNKNOWN = '_OTHER';

/**
 * The durations of the stable semantic conventions: of incoming requests, outgoing requests and database operations. Their
 * series differ by status, port and failure, which are attributes of the span.
 */
export class SemanticDurations {
  readonly server: SeriesTable<Attributes>;
  readonly client: SeriesTable<Attributes>;
  readonly database: SeriesTable<Attributes>;

  constructor(budget: SeriesBudget) {
    this.server = new SeriesTable(budget, serverAttributes);
    this.client = new SeriesTable(budget, clientAttributes);
    this.database = new SeriesTable(budget, databaseAttributes);
  }

  /** The series of an operation; undefined for other types. */
  seriesOf(
    type: OperationType,
    name: string,
    error: boolean,
    status: number | undefined,
    attributes: Attributes = NONE,
  ): DurationSeries | undefined {
    switch (type) {
      case 'http':
        return this.server.find(
          name,
          status ?? statusOf(attributes),
          attributes['url.scheme'] as Variant,
          attributes,
        );
      case 'external':
        if (methodOf(attributes) === undefined) return undefined;
        return this.client.find(
          name,
          statusOf(attributes) ?? error,
          attributes['server.port'] as Variant,
          attributes,
        );
      case 'database':
      case 'cache':
        return this.database.find(name, systemOf(attributes) as Variant, error, attributes);
      default:
        return undefined;
    }
  }

  clear(): void {
    this.server.clear();
    this.client.clear();
    this.database.clear();
  }
}

function statusOf(attributes: Attributes): number | undefined {
  return (attributes['http.response.status_code'] ?? attributes['http.status_code']) as number | undefined;
}

function methodOf(attributes: Attributes): unknown {
  return attributes['http.request.method'] ?? attributes['http.method'];
}

function systemOf(attributes: Attributes): unknown {
  return attributes['db.system.name'] ?? attributes['db.system'];
}

/** Splits the name of an operation after the first word. */
function wordsOf(name: string): [string, string | undefined] {
  const end = name.indexOf(' ');
  return end < 0 ? [name, undefined] : [name.slice(0, end), attributeText(name.slice(end + 1))];
}

function serverAttributes(name: string, status: Variant, scheme: Variant): Attributes {
  const [method, route] = wordsOf(name);
  return defined({
    'http.request.method': method === 'HTTP' || route === undefined ? UNKNOWN : method,
    'http.route': route === '(unmatched)' ? undefined : route,
    'http.response.status_code': status,
    'url.scheme': scheme,
    'error.type': Number(status) >= 500 ? String(status) : undefined,
  });
}

/** @param status the status, or without a response whether it failed */
function clientAttributes(name: string, status: Variant, port: Variant, from: Attributes): Attributes {
  const [method] = wordsOf(name);
  const answered = typeof status === 'number';
  return defined({
    'http.request.method': method,
    'server.address': from['server.address'] ?? from['net.peer.name'],
    'server.port': port,
    'http.response.status_code': answered ? status : undefined,
    'error.type': answered && status >= 400 ? String(status) : status === true ? UNKNOWN : undefined,
  });
}

function databaseAttributes(name: string, system: Variant, failed: Variant, from: Attributes): Attributes {
  const [operation, collection] = wordsOf(name);
  return defined({
    'db.system.name': system ?? 'other_sql',
    'db.operation.name': attributeText(operation),
    'db.collection.name': from['db.collection.name'] ?? collection,
    'error.type': failed === true ? UNKNOWN : undefined,
  });
}

function defined(attributes: Attributes): Attributes {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, bounded(value)]));
}

function bounded(value: Attributes[string]): Attributes[string] {
  return typeof value === 'string' ? attributeText(value) : value;
}
