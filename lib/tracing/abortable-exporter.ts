import type { Agent, ClientRequest } from 'node:http';

/** A gRPC call, as far as it is used here. */
interface Call {
  cancel(): void;
}
type Export = (...given: unknown[]) => Call;

/** The transport of an OTLP exporter over gRPC. */
interface GrpcTransport {
  _client?: { export?: Export } | undefined;
}

/** The transport of an OTLP exporter over HTTP, possibly within one that retries. */
interface HttpTransport {
  _transport?: HttpTransport | undefined;
  _parameters?: { agentFactory?: AgentFactory } | undefined;
}
type AgentFactory = (protocol: string) => Agent | Promise<Agent>;
interface RequestAgent extends Agent {
  addRequest(request: ClientRequest, ...more: unknown[]): void;
}

/**
 * Prepares an OTLP exporter so that its requests can be aborted. Its own `shutdown` waits until each request is
 * answered or its time is over, 10 seconds by default, and until then the connection keeps the process alive.
 *
 * There is no public access to the requests. If the exporter changes inside, they cannot be aborted, and nothing else changes.
 * @returns aborts the current requests, and each further one as soon as it starts
 */
export function abortable(exporter: object): () => void {
  const calls = new Set<Call>();
  let aborted = false;
  const transport = (exporter as { _delegate?: { _transport?: GrpcTransport & HttpTransport } })._delegate
    ?._transport;
  const abortRequests = trackRequests(transport);
  if (typeof transport === 'object') {
    let client = transport._client;
    // The exporter creates its client with its first request.
    Object.defineProperty(transport, '_client', {
      configurable: true,
      enumerable: true,
      get: () => client,
      set(created: GrpcTransport['_client']) {
        client = created;
        if (typeof created?.export === 'function') track(created as { export: Export }, calls, () => aborted);
      },
    });
  }
  return () => {
    aborted = true;
    for (const call of calls) call.cancel();
    abortRequests();
  };
}

/** Keeps the requests of a transport over HTTP while they are not answered. @returns aborts them, and all further ones */
function trackRequests(outermost: HttpTransport | undefined): () => void {
  let transport = outermost;
  while (transport?._transport !== undefined) transport = transport._transport;
  const parameters = transport?._parameters;
  const create = parameters?.agentFactory;
  const requests = new Set<ClientRequest>();
  let aborted = false;
  // Not an error of the network, after which it would try again.
  const abort = (request: ClientRequest): void =>
    void request.destroy(new Error('The application is closed'));
  if (parameters !== undefined && typeof create === 'function')
    parameters.agentFactory = async (protocol) => {
      const agent = (await create(protocol)) as RequestAgent;
      const add = agent.addRequest;
      agent.addRequest = function (request, ...more) {
        requests.add(request);
        request.once('close', () => requests.delete(request));
        add.call(this, request, ...more);
        if (aborted) abort(request);
      };
      return agent;
    };
  return () => {
    aborted = true;
    for (const request of requests) abort(request);
  };
}

/** Keeps the calls of a client while they are not answered. */
function track(client: { export: Export }, calls: Set<Call>, isAborted: () => boolean): void {
  const start = client.export;
  client.export = (...given) => {
    const answered = given.pop() as (...result: unknown[]) => void;
    const call = start.call(client, ...given, (...result: unknown[]) => {
      calls.delete(call);
      answered(...result);
    });
    calls.add(call);
    if (isAborted()) call.cancel();
    return call;
  };
}
