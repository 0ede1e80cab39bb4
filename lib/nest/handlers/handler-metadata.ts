import 'reflect-metadata';
import { types } from 'node:util';
import type { Resolver } from './http-handler.js';

/** What calls a method of the application. */
export type HandlerKind =
  | 'http'
  | 'graphql'
  | 'rpc'
  | 'messaging'
  | 'websocket'
  | 'queue'
  | 'schedule'
  | 'event'
  | 'command';

/** What a method handles, as its decorators describe it. */
export interface Handled {
  readonly kind: HandlerKind;
  /** Of a message: its pattern. */
  readonly pattern?: unknown;
  /** Of GraphQL. */
  readonly resolver?: Resolver;
}

/** Metadata keys of Nest's packages, which do not export them. */
const PATH = 'path';
const METHOD = 'method';
const PATTERN = 'microservices:pattern';
const PATTERN_KIND = 'microservices:handler_type';
const EVENT_PATTERN = 2;
const WS_MESSAGE = 'websockets:message_mapping';
const SCHEDULER = 'SCHEDULER_TYPE';
const EVENT_LISTENER = 'EVENT_LISTENER_METADATA';
const BULL_PROCESS = 'bull:module_queue_process';
const RESOLVER = 'graphql:resolver_type';
const RESOLVER_NAME = 'graphql:resolver_name';
const FIELD_RESOLVER = 'graphql:resolve_property';
const REFERENCE_RESOLVER = 'graphql:resolve_reference';
const ROOT_RESOLVERS = new Set(['Query', 'Mutation', 'Subscription']);
/** The field of a subgraph of a federation that all its references are resolved by. */
const ENTITIES: Resolver = { type: 'query', field: '_entities' };

/** Methods that handle something because of a decorator of their class. */
const OF_CLASS: readonly { key: string; method: string; kind: HandlerKind }[] = [
  { key: 'bullmq:processor_metadata', method: 'process', kind: 'queue' },
  { key: '__commandHandler__', method: 'execute', kind: 'command' },
  { key: '__queryHandler__', method: 'execute', kind: 'command' },
  { key: '__eventsHandler__', method: 'handle', kind: 'event' },
  { key: 'CommandBuilder:Command:Meta', method: 'run', kind: 'command' },
];

const NOTHING: readonly Handled[] = [];

/** The handlers of a class by method, each of which may handle several things. Runs no code of the class. */
export function handlersOf(prototype: object, isController: boolean): Map<string, Handled[]> {
  const found = new Map<string, Handled[]>();
  const type: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof type === 'function' && !types.isProxy(type)) {
    for (const { key, method, kind } of OF_CLASS)
      if (Reflect.hasMetadata(key, type)) found.set(method, [{ kind }]);
  }
  const seen = new Set(['constructor']);
  for (
    let owner: object | null = prototype;
    owner !== null && owner !== Object.prototype && !types.isProxy(owner);
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const value: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
      if (typeof value !== 'function' || types.isProxy(value)) continue;
      const handled = kindsOf(value, isController);
      if (handled.length > 0) found.set(name, [...handled, ...(found.get(name) ?? [])]);
    }
  }
  return found;
}

function kindsOf(method: object, isController: boolean): readonly Handled[] {
  // Nearly all methods of an application have no metadata, and each key costs as much as the search for all of them.
  if (Reflect.getMetadataKeys(method).length === 0) return NOTHING;
  const kinds: Handled[] = [];
  const has = (key: string): boolean => Reflect.hasMetadata(key, method);
  if (isController && has(METHOD) && has(PATH)) kinds.push({ kind: 'http' });
  if (isController && has(PATTERN_KIND)) {
    const isEvent = Reflect.getMetadata(PATTERN_KIND, method) === EVENT_PATTERN;
    kinds.push({ kind: isEvent ? 'messaging' : 'rpc', pattern: Reflect.getMetadata(PATTERN, method) });
  }
  if (has(WS_MESSAGE)) kinds.push({ kind: 'websocket' });
  if (has(BULL_PROCESS)) kinds.push({ kind: 'queue' });
  if (has(SCHEDULER)) kinds.push({ kind: 'schedule' });
  if (has(EVENT_LISTENER)) kinds.push({ kind: 'event' });
  const resolver: unknown = has(RESOLVER) ? Reflect.getMetadata(RESOLVER, method) : undefined;
  const field = String(Reflect.getMetadata(RESOLVER_NAME, method) ?? (method as { name?: unknown }).name);
  if (typeof resolver === 'string' && ROOT_RESOLVERS.has(resolver))
    kinds.push({ kind: 'graphql', resolver: { type: resolver.toLowerCase(), field } });
  else if (has(REFERENCE_RESOLVER)) kinds.push({ kind: 'graphql', resolver: ENTITIES });
  else if (has(FIELD_RESOLVER)) kinds.push({ kind: 'graphql', resolver: { type: undefined, field } });
  return kinds;
}
