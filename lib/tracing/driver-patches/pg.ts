import { type Attributes, context, type Span, SpanKind, trace } from '@opentelemetry/api';
import { attempt } from '../../async/thrown.js';
import { SCOPE } from '../../spans/tracing-runtime.js';
import { Database, endQuery, startQuery } from '../query-span.js';
import { connectionRequested, setRowCount } from '../work-tracking.js';
import { DriverPatch } from './driver-patch.js';
import { callbackIn, type Method, observe } from './pg-call.js';
import { isSubmitted, measureSubmitted, type Submitted } from './pg-submitted.js';

/** What is read of a client. */
interface Client {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly database?: unknown;
}

/** What is read of a pool. */
interface Pool {
  readonly idleCount?: unknown;
  readonly waitingCount?: unknown;
  readonly options?: Client & { readonly connectionString?: unknown };
}

const SYSTEM = 'postgresql';
const VERSIONS = ['>=8.0.3 <9'];
const POOL_VERSIONS = ['>=2.0.0 <4'];
const FAULT = 'tracing a call of pg failed';
/** Databases of which all connections share one object. Beyond it, none is kept, and sharing starts again. */
const MAX_DATABASES = 50;

/**
 * Creates one span for each query of `pg`, and one for each connection that has to be waited for, because it is opened or
 * another call uses it. A connection that a pool has free costs no span.
 */
export class PgInstrumentation extends DriverPatch {
  /** By client and pool. */
  private readonly databases = new WeakMap<object, Database>();
  /** By their attributes. */
  private readonly shared = new Map<string, Database>();

  constructor() {
    super(`${SCOPE.name}/pg`);
  }

  protected readonly patches = [
    this.patchOf('pg', VERSIONS, (exports: { Client?: unknown }) => this.patchClient(exports.Client), [
      this.patchOf('pg/lib/client.js', VERSIONS, (exports) => this.patchClient(exports)),
      this.patchOf('pg/lib/native/client.js', VERSIONS, (exports) => this.patchClient(exports)),
    ]),
    this.patchOf('pg-pool', POOL_VERSIONS, (exports) =>
      this.replace<Pool>(exports, 'connect', (original) => this.poolConnect(original)),
    ),
  ];

  private patchClient(Client: unknown): void {
    this.replace<Client>(Client, 'query', (original) => this.query(original));
    this.replace<Client>(Client, 'connect', (original) => this.connect(original));
  }

  private query(original: Method<Client>): Method<Client> {
    const instrumentation = this;
    return function query(this: Client, ...args) {
      const [config] = args;
      // `pg` rejects it itself.
      if (config === undefined || config === null) return original.apply(this, args);
      if (isSubmitted(config)) {
        attempt(FAULT, () => instrumentation.measure(this, config));
        return original.apply(this, args);
      }
      const span = attempt(FAULT, () => instrumentation.startQuery(this, config, args[1]));
      if (span === undefined) return original.apply(this, args);
      let callbackAt = callbackIn(args);
      if (callbackAt < 0) callbackAt = moveCallback(args);
      return observe(original, this, args, callbackAt, (error, result) =>
        endQuery(span, error, () => setRowCount(span, (result as { rowCount?: unknown } | null)?.rowCount)),
      );
    };
  }

  private connect(original: Method<Client>): Method<Client> {
    const instrumentation = this;
    return function connect(this: Client, ...args) {
      const database = (): Database => instrumentation.databaseOf(this, () => this);
      return instrumentation.whileConnecting('pg.connect', database, original, this, args);
    };
  }

  private poolConnect(original: Method<Pool>): Method<Pool> {
    const instrumentation = this;
    return function connect(this: Pool, ...args) {
      if (!hasFreeConnection(this)) {
        const database = (): Database => instrumentation.databaseOf(this, () => serverOf(this));
        return instrumentation.whileConnecting('pg-pool.connect', database, original, this, args);
      }
      const received = attempt(FAULT, connectionRequested);
      const callbackAt = callbackIn(args);
      if (received === undefined && callbackAt < 0) return original.apply(this, args);
      return observe(original, this, args, callbackAt, received ?? nothing);
    };
  }

  private whileConnecting<This>(
    name: string,
    database: () => Database,
    original: Method<This>,
    self: This,
    args: unknown[],
  ): unknown {
    const span = attempt(FAULT, () =>
      this.tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes: database().attributes }),
    );
    if (span === undefined) return original.apply(self, args);
    const within = trace.setSpan(context.active(), span);
    const call: Method<This> = (...given) => context.with(within, () => original.apply(self, given));
    return observe(call, self, args, callbackIn(args), (error) => endQuery(span, error, nothing));
  }

  private startQuery(client: Client, config: unknown, given: unknown): Span | undefined {
    const { text, values: own } = (typeof config === 'string' ? { text: config } : config) as Submitted;
    // As in `pg`, the argument takes precedence.
    const values = Array.isArray(given) ? given : own;
    return startQuery(this.tracer, {
      database: this.databaseOf(client, () => client),
      text: typeof text === 'string' ? text : '',
      values: Array.isArray(values) ? (values as unknown[]) : undefined,
    });
  }

  private measure(client: Client, submitted: Submitted): void {
    const parent = context.active();
    const database = this.databaseOf(client, () => client);
    measureSubmitted(submitted, ({ text, values, elapsedMs, error }) => {
      const query = { database, text, values, startTime: Date.now() - elapsedMs };
      const span = context.with(parent, () => startQuery(this.tracer, query));
      if (span !== undefined) endQuery(span, error, nothing);
    });
  }

  private databaseOf(key: object, server: () => Client): Database {
    let database = this.databases.get(key);
    if (database === undefined) {
      database = this.databaseAt(server());
      this.databases.set(key, database);
    }
    return database;
  }

  /** The same for all connections to it. */
  private databaseAt({ host, port, database }: Client): Database {
    const attributes: Attributes = {
      ...(typeof database === 'string' ? { 'db.namespace': database } : {}),
      ...(typeof host === 'string' ? { 'server.address': host } : {}),
      ...(Number.isInteger(port) ? { 'server.port': port as number } : {}),
    };
    const name = JSON.stringify(attributes);
    let known = this.shared.get(name);
    if (known === undefined) {
      if (this.shared.size >= MAX_DATABASES) this.shared.clear();
      known = new Database(SYSTEM, attributes);
      this.shared.set(name, known);
    }
    return known;
  }

  private replace<This>(
    exports: unknown,
    name: string,
    wrapperOf: (original: Method<This>) => Method<This>,
  ): void {
    attempt('pg was not instrumented', () =>
      this.wrap((exports as { prototype: object }).prototype, name, wrapperOf),
    );
  }
}

const nothing = (): void => {};

/** Whether a pool hands over a connection at once: it has more of them free than calls that wait. */
function hasFreeConnection({ idleCount, waitingCount }: Pool): boolean {
  return typeof idleCount === 'number' && typeof waitingCount === 'number' && idleCount > waitingCount;
}

function serverOf({ options = {} }: Pool): Client {
  const { connectionString } = options;
  if (typeof connectionString !== 'string' || !URL.canParse(connectionString)) return options;
  const { hostname, port, pathname } = new URL(connectionString);
  return { host: hostname, port: port === '' ? undefined : Number(port), database: pathname.slice(1) };
}

/**
 * Moves the callback of a query that is given as an object into the arguments, where it can be observed without a change of
 * the object. Returns its position, or -1 if it has none.
 */
function moveCallback(args: unknown[]): number {
  const [config] = args as [{ callback?: unknown }];
  if (typeof config !== 'object' || typeof config.callback !== 'function') return -1;
  // `pg` sets the callback on the object that it receives, which inherits a frozen one otherwise.
  args[0] = Object.create(config, { callback: { value: undefined, writable: true, configurable: true } });
  args[2] = config.callback;
  return 2;
}
