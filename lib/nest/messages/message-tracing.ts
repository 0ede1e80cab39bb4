import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { reportFault } from '../../async/thrown.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { InstalledModules } from '../../tracing/installed-modules.js';
import { own } from '../../validation/own.js';
import { type Handler, MethodWrappers } from '../handlers/method-wrappers.js';
import type { ResolvedModuleOptions } from '../module-options.js';
import { RESOLVED_OPTIONS } from '../tokens.js';
import { emittedEvents, sentRequests } from './client-proxy.js';
import { countedConnections } from './connections.js';
import { grpcCalls } from './grpc-client.js';
import { continuedMessages } from './incoming-headers.js';
import { OUTGOING_HEADERS } from './outgoing-headers.js';

const PACKAGE = '@nestjs/microservices';
/** Makes the function that a transport calls for each message of a handler. Not exported by the package. */
const RPC_PROXY = join('context', 'rpc-proxy.js');
const WEBSOCKETS = '@nestjs/websockets';
/** Makes the function that a gateway calls for each connection. Not exported by the package. */
const WEBSOCKETS_CONTROLLER = 'web-sockets-controller.js';

interface Wrapped {
  readonly type: string;
  readonly method: string;
  readonly handler: Handler;
}

const CONNECTIONS: Wrapped = {
  type: 'WebSocketsController',
  method: 'getConnectionHandler',
  handler: countedConnections,
};

/**
 * Measures the messages that clients of `@nestjs/microservices` send, continues traces through the headers of messages, and
 * counts the connections of gateways. It wraps methods of the classes that the application loads, in each installed copy.
 */
@Injectable()
export class MessageTracing implements OnModuleInit, OnApplicationShutdown {
  private readonly methods = new MethodWrappers();
  private readonly modules = new InstalledModules();
  private readonly clients: readonly Wrapped[];
  private readonly rpcProxy: Wrapped;

  // With anything else injected, Nest would create the providers whose clients it measures first.
  constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedModuleOptions) {
    this.clients = [
      { type: 'ClientProxy', method: 'send', handler: sentRequests },
      { type: 'ClientProxy', method: 'emit', handler: emittedEvents },
      { type: 'ClientGrpcProxy', method: 'createServiceMethod', handler: grpcCalls(this.modules) },
      ...OUTGOING_HEADERS,
    ];
    // An application with its own tracer provider has its own propagators, too.
    const trustsBaggage = (): boolean =>
      options.tracing.trustIncomingBaggage || tracingRuntime.tracer === undefined;
    this.rpcProxy = { type: 'RpcProxy', method: 'create', handler: continuedMessages(trustsBaggage) };
    // Before providers call their clients, and microservices are connected.
    this.wrapAll();
  }

  /** The package may have been loading until now. */
  onModuleInit(): void {
    this.wrapAll();
  }

  onApplicationShutdown(): void {
    this.methods.restore();
  }

  private wrapAll(): void {
    if (!this.options.enabled) return;
    try {
      for (const { folder } of this.modules.copies(PACKAGE)) {
        if (this.options.tracing.instrumentation) this.wrap(this.load(folder, 'index.js'), this.clients);
        this.wrap(this.load(folder, RPC_PROXY), [this.rpcProxy]);
      }
      for (const { folder } of this.modules.copies(WEBSOCKETS))
        this.wrap(this.load(folder, WEBSOCKETS_CONTROLLER), [CONNECTIONS]);
    } catch (error) {
      reportFault('messages are not measured', error);
    }
  }

  private wrap(exports: unknown, all: readonly Wrapped[]): void {
    if (typeof exports !== 'object' || exports === null) return;
    for (const { type, method, handler } of all) {
      const found = own(exports as Record<string, unknown>, type);
      const prototype: unknown = typeof found === 'function' ? found.prototype : undefined;
      // Only where the class itself has the method, as a later version may not.
      if (typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, method))
        this.methods.add(prototype, method, () => handler, true);
    }
  }

  private load(folder: string, file: string): unknown {
    try {
      return this.modules.load(join(folder, file));
    } catch (error) {
      // A copy of another version, or one whose dependencies are missing: the application does not use it.
      reportFault(`messages of ${folder} are not measured`, error);
      return undefined;
    }
  }
}
