import { attempt } from '../../async/thrown.js';
import type { InstalledModules } from '../../tracing/installed-modules.js';
import { isWrapped } from '../../tracing/late-instrumentation.js';
import { own } from '../../validation/own.js';
import type { Handler } from '../handlers/method-wrappers.js';
import { ClientCall } from './client-call.js';
import { traceHeaders } from './trace-headers.js';

type Call = (this: unknown, ...args: unknown[]) => unknown;

const FAULT = 'a call of gRPC could not be measured';

/** The metadata of a call of gRPC. */
interface Metadata {
  clone(): Metadata;
  get(name: string): unknown[];
  set(name: string, value: string): void;
}

/** What this file uses of `@grpc/grpc-js`. */
interface Grpc {
  readonly Client: new (...args: never[]) => object;
  readonly Metadata: new () => Metadata;
  readonly Server?: { readonly prototype?: { readonly register?: unknown } };
}

/** A method of a generated client. */
interface GrpcMethod {
  readonly path?: unknown;
  readonly requestStream?: unknown;
}

/**
 * Measures the methods of gRPC services that Nest creates, each subscription as a call, and adds the trace to their metadata.
 * An instrumentation of gRPC does so itself.
 */
export function grpcCalls(modules: InstalledModules): Handler {
  return {
    call(method, self, args) {
      const created = Reflect.apply(method, self, args) as unknown;
      const [client, name] = args as [object, string];
      const grpc = attempt(FAULT, () => packageOf(modules, client));
      if (typeof created !== 'function' || grpc === undefined) return created;
      return function (this: unknown, ...given: unknown[]): unknown {
        const prepared = attempt(FAULT, () => prepare(grpc, client, name, given));
        const result = Reflect.apply(created as Call, this, prepared?.args ?? given) as unknown;
        if (prepared !== undefined) attempt(FAULT, () => prepared.call.observeSubscriptions(result));
        return result;
      };
    },
  };
}

/** The measurement of a call, and its arguments with metadata of its own. Undefined where another tool measures it. */
function prepare(
  grpc: Grpc,
  client: object,
  name: string,
  given: readonly unknown[],
): { call: ClientCall; args: readonly unknown[] } | undefined {
  if (isWrapped(grpc.Server?.prototype?.register)) return undefined;
  const methods = Object.getPrototypeOf(client) as Readonly<Record<string, GrpcMethod>>;
  const { path: fullPath, requestStream }: GrpcMethod = own(methods, name) ?? {};
  const path = typeof fullPath === 'string' ? fullPath.replace(/^\//, '') : name;
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': path };
  const title = `send ${withoutPackage(path)}`;
  const [data, second, ...rest] = given;
  // Without an Observable, the arguments of a stream are those of the client.
  if (given.length === 0 || (requestStream === true && !isObservable(data)))
    return { call: new ClientCall('rpc', title, attributes, undefined), args: given };
  const before = second instanceof grpc.Metadata ? second : undefined;
  const metadata = before?.clone() ?? new grpc.Metadata();
  const call = new ClientCall('rpc', title, attributes, undefined, () => {
    const headers = traceHeaders((key) => before !== undefined && before.get(key).length > 0);
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  });
  const others = before !== undefined || second === undefined ? rest : [second, ...rest];
  return { call, args: [data, metadata, ...others] };
}

/** The copy of `@grpc/grpc-js` that has made a client. */
function packageOf(modules: InstalledModules, client: object): Grpc | undefined {
  for (const { folder } of modules.loadedCopies('@grpc/grpc-js')) {
    const grpc = modules.loadedExports(folder) as Partial<Grpc> | undefined;
    if (typeof grpc?.Client === 'function' && client instanceof grpc.Client) return grpc as Grpc;
  }
  return undefined;
}

/** `Albums/Find` of `music.store.Albums/Find`. */
function withoutPackage(path: string): string {
  const service = path.lastIndexOf('/');
  return path.slice(path.lastIndexOf('.', service < 0 ? path.length : service) + 1);
}

function isObservable(value: unknown): boolean {
  return typeof (value as { subscribe?: unknown } | null | undefined)?.subscribe === 'function';
}
