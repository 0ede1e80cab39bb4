import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DiagLogLevel, diag, type Span, type TracerProvider } from '@opentelemetry/api';
import { BetterSqlite3Instrumentation } from '../../lib/tracing/driver-patches/better-sqlite3.js';
import { PostgresJsInstrumentation } from '../../lib/tracing/driver-patches/postgres-js.js';
import { InstalledModules } from '../../lib/tracing/installed-modules.js';
import { type PatchingInstrumentation } from '../../lib/tracing/late-instrumentation.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

/** A member of the tracer, or of each span, that throws. */
const FAULTS = ['startSpan', 'setAttribute', 'setAttributes', 'setStatus', 'end', 'spanContext'] as const;

/** The provider of another tool, one member of which throws. */
function faultyProvider(provider: TracerProvider, fault: string): TracerProvider {
  const faulty = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, key) {
        if (key === fault)
          return () => {
            throw new Error('of the sink');
          };
        const value: unknown = Reflect.get(object, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const result: unknown = Reflect.apply(value, object, args);
          return key === 'startSpan' ? faulty(result as Span) : result;
        };
      },
    });
  return { getTracer: (name, version) => faulty(provider.getTracer(name, version)) };
}

/** Executes statements as `better-sqlite3` does. */
class Statement {
  constructor(private readonly text: string) {}
  get source(): string {
    if (this.text.includes('closed')) throw new TypeError('The database connection is not open');
    return this.text;
  }
  run(): unknown {
    if (this.text.startsWith('fail')) throw new RangeError('of the driver');
    return { changes: 1 };
  }
  get(): unknown {
    return 'row';
  }
  all(): unknown {
    return this.text.startsWith('pragma') ? undefined : ['row'];
  }
  *iterate(): Generator<string> {
    yield 'first';
    if (this.text.startsWith('fail')) throw new RangeError('of the driver');
    yield 'second';
  }
}
class Database {
  prepare(text: string): Statement {
    return new Statement(text);
  }
  exec(text: unknown): unknown {
    return [text];
  }
  close(): void {}
}

describe('a driver that this package patches', () => {
  let tracing: TestTracing;
  let logged: jest.Mock;
  const disable: (() => void)[] = [];

  beforeEach(() => {
    tracing = startTracing();
    logged = jest.fn();
    const silent = (): void => {};
    diag.setLogger(
      { error: logged, warn: silent, info: silent, debug: silent, verbose: silent },
      { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
    );
  });
  afterEach(async () => {
    for (const undo of disable.splice(0)) undo();
    diag.disable();
    await tracing.shutdown();
  });

  function sqlite(provider: TracerProvider): Database {
    const instrumentation = new BetterSqlite3Instrumentation();
    instrumentation.setTracerProvider(provider);
    const [definition] = (instrumentation as PatchingInstrumentation).getModuleDefinitions?.() ?? [];
    definition?.patch?.(Database);
    disable.push(() => instrumentation.disable());
    return new Database();
  }

  function postgres(provider: TracerProvider): (text: string) => Promise<unknown> {
    const instrumentation = new PostgresJsInstrumentation();
    instrumentation.setTracerProvider(provider);
    const modules = new InstalledModules();
    instrumentation.patchCopies(modules);
    disable.push(() => instrumentation.disable());
    const { folder } = modules.find('postgres') ?? { folder: '' };
    const { Query } = modules.load(join(folder, 'cjs', 'src', 'query.js')) as {
      Query: new (strings: string[], args: unknown[], handler: (query: never) => void) => Promise<unknown>;
    };
    const handler = (query: { strings: string[]; resolve(r: unknown): void; reject(e: unknown): void }) => {
      if (query.strings[0]?.startsWith('fail') === true) query.reject(new RangeError('of the driver'));
      else query.resolve(['row']);
    };
    return (text) => new Query([text], [], handler);
  }

  describe.each(FAULTS)('with a sink whose %s throws', (fault) => {
    it('executes statements of SQLite as without it', () => {
      const database = sqlite(faultyProvider(tracing.provider, fault));
      const statement = database.prepare('select 1');
      expect(statement.run()).toEqual({ changes: 1 });
      expect(statement.get()).toBe('row');
      expect(statement.all()).toEqual(['row']);
      expect([...statement.iterate()]).toEqual(['first', 'second']);
      expect(database.exec('select 1')).toEqual(['select 1']);
      for (const row of statement.iterate()) {
        expect(row).toBe('first');
        break;
      }
    });

    it('passes on what SQLite throws', () => {
      const statement = sqlite(faultyProvider(tracing.provider, fault)).prepare('fail');
      expect(() => statement.run()).toThrow(new RangeError('of the driver'));
      expect(() => [...statement.iterate()]).toThrow(new RangeError('of the driver'));
    });

    it('settles queries of postgres.js as without it', async () => {
      const sql = postgres(faultyProvider(tracing.provider, fault));
      await expect(sql('select 1')).resolves.toEqual(['row']);
      await expect(sql('fail')).rejects.toThrow(new RangeError('of the driver'));
    });
  });

  it('executes what cannot be described, and throws only what the driver throws', () => {
    const database = sqlite(tracing.provider);
    const closed = database.prepare('closed');
    expect(closed.run()).toEqual({ changes: 1 });
    expect([...closed.iterate()]).toHaveLength(2);
    expect(database.prepare('pragma').all()).toBeUndefined();
    const unreadable = {
      toString() {
        throw new Error('of the value');
      },
    };
    expect(database.exec(unreadable)).toEqual([unreadable]);
    const getter = {
      get id() {
        throw new Error('of the value');
      },
    };
    expect(Reflect.apply(Statement.prototype.run, new Statement('select @id'), [getter])).toEqual({
      changes: 1,
    });
  });

  it('logs what its sink throws', () => {
    sqlite(faultyProvider(tracing.provider, 'startSpan')).exec('select 1');
    expect(logged).toHaveBeenCalledWith(
      expect.stringContaining('query of sqlite'),
      expect.stringContaining('of the sink'),
    );
  });

  it('logs nothing, and ends each span, with a sink that works', async () => {
    const statement = sqlite(tracing.provider).prepare('select 1');
    statement.run();
    Array.from(statement.iterate());
    await postgres(tracing.provider)('select 1');
    expect(tracing.exported()).toHaveLength(3);
    expect(logged).not.toHaveBeenCalled();
  });
});
