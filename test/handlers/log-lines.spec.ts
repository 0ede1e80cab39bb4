import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Controller, Get, Logger, type LoggerService, Param } from '@nestjs/common';
import pino from 'pino';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { OperationLog } from '../../lib/spans/operation-log.js';
import { keepLogLine } from '../../lib/tracing/keep-log-line.js';
import {
  fetchFromOutside,
  PLATFORMS,
  type Platform,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';

const circular: Record<string, unknown> = { id: 7, password: 'hunter2' };
circular['self'] = circular;
const throwing = {
  get broken(): string {
    throw new Error('a getter');
  },
};
const hostile = new Proxy(
  {},
  {
    ownKeys() {
      new Logger('Trap').log('from a trap');
      throw new Error('a trap');
    },
  },
);

const pinoLogger = pino(
  {
    hooks: {
      logMethod(args, method, level) {
        keepLogLine(this.levels.labels[level] ?? 'info', args[0], 'pino');
        return method.apply(this, args);
      },
    },
  },
  { write: () => {} },
);

@Controller()
class CatsController {
  private readonly logger = new Logger('Cats');

  @Get('slow/:name')
  async slow(@Param('name') name: string): Promise<string> {
    this.logger.log(`begins ${name}`);
    await sleep(60);
    Logger.warn(`ends ${name}`, 'Static');
    return name;
  }

  @Get('fast')
  fast(): string {
    this.logger.log('a fast one');
    return 'fast';
  }

  @Get('silent')
  async silent(): Promise<string> {
    await sleep(60);
    return 'silent';
  }

  @Get('failing')
  failing(): never {
    this.logger.error('the cat is gone', new Error('x').stack);
    throw new Error('no cat');
  }

  @Get('many')
  async many(): Promise<string> {
    for (let number = 0; number < 500; number++) this.logger.log(`line ${number}`);
    await sleep(60);
    return 'many';
  }

  @Get('hostile')
  async hostile(): Promise<string> {
    for (const message of [circular, throwing, hostile, Object.create(null), Symbol('s'), undefined, 12n])
      this.logger.log(message);
    this.logger.log('x '.repeat(5_000_000));
    this.logger.log({ list: Array.from({ length: 100_000 }, (_, index) => index) });
    this.logger.log(new TypeError('of the application'), 'with more');
    await sleep(60);
    return 'hostile';
  }

  @Get('secrets')
  async secrets(): Promise<string> {
    this.logger.log('\u001b[31mlogin of bob@example.com with password=hunter2\u001b[39m');
    this.logger.log('Authorization: Bearer abcdef1234567890');
    this.logger.log({ user: 'bob', apiKey: 'k-123456', nested: { token: 'secret-value' } });
    this.logger.log("query: SELECT * FROM users WHERE name = 'robert' AND pin = 4711");
    this.logger.log('GET https://user:pw@example.com/cats?session=s3cr3t');
    const error = new Error('Key (name)=(robert) already exists');
    this.logger.error(error);
    this.logger.error(error.message, error.stack);
    this.logger.error(error.message, error.stack, 'Other');
    this.logger.log('key sk_live_51H8xyzABCDEF123456 and card 4111 1111 1111 1111');
    await sleep(60);
    return 'secrets';
  }

  @Get('levels')
  async levels(): Promise<string> {
    this.logger.debug('a debug line');
    this.logger.warn('a warning');
    await sleep(60);
    return 'levels';
  }

  @Get('pino')
  async pino(): Promise<string> {
    pinoLogger.warn('of pino');
    await sleep(60);
    return 'pino';
  }

  @Get('broken')
  async broken(): Promise<string> {
    try {
      this.logger.log('to a broken logger');
    } catch (error) {
      await sleep(60);
      return (error as Error).message;
    }
    return 'nothing was thrown';
  }
}

const silent: LoggerService = { log() {}, warn() {}, error() {} };

let applications: TestApplication[] = [];
afterEach(async () => {
  for (const { app } of applications) await app.close();
  applications = [];
});

async function start(
  logging: PerformanceOptions['logging'] = { keep: true },
  platform: Platform = 'express',
  logger?: LoggerService,
): Promise<TestApplication> {
  const application = await startApplication(
    platform,
    { controllers: [CatsController] },
    { logging, httpThresholdMs: 50 },
  );
  applications.push(application);
  if (logger !== undefined) application.app.useLogger(logger);
  return application;
}

/** The log of the slow execution of a route, after its request. */
async function logOf(
  { url, monitor }: TestApplication,
  path: string,
  name = `GET /${path}`,
): Promise<OperationLog | undefined> {
  await fetchFromOutside(`${url}/${path}`);
  await until(() => monitor.getSlowOperations({ name }).length > 0);
  const [slow] = monitor.getSlowOperations({ name });
  return monitor.getSlowOperation(slow?.id ?? '')?.log;
}
const messagesOf = (log: OperationLog | undefined): string[] =>
  log?.lines.map(({ message }) => message) ?? [];

describe.each(PLATFORMS)('logging.keep on %s', (platform) => {
  it('keeps the lines of each of two concurrent slow requests', async () => {
    const { url, monitor } = await start({ keep: true }, platform);
    await Promise.all(['a', 'b'].map((name) => fetchFromOutside(`${url}/slow/${name}`)));
    await until(() => monitor.getSlowOperations().length === 2);
    const logs = monitor.getSlowOperations().map(({ id }) => monitor.getSlowOperation(id)?.log);
    expect(logs.map((log) => messagesOf(log).join()).sort()).toEqual(['begins a,ends a', 'begins b,ends b']);
    expect(logs[0]).toEqual({
      lines: [
        { level: 'log', offsetMs: expect.any(Number), context: 'Cats', message: expect.any(String) },
        { level: 'warn', offsetMs: expect.any(Number), context: 'Static', message: expect.any(String) },
      ],
      omitted: 0,
    });
    const [first, last] = logs[0]?.lines ?? [];
    expect(first?.offsetMs).toBeLessThan(last?.offsetMs ?? 0);
  });

  it('keeps the lines of a fast request that failed, with its finding', async () => {
    const { url, monitor } = await start({ keep: true }, platform);
    await fetchFromOutside(`${url}/failing`);
    await until(() => monitor.getFindings({ type: 'errors' }).length > 0);
    const [finding] = monitor.getFindings({ type: 'errors' });
    expect(finding).not.toHaveProperty('log');
    const lines = monitor.getFinding(finding?.id ?? '')?.log?.lines ?? [];
    expect(lines).toContainEqual({
      level: 'error',
      offsetMs: expect.any(Number),
      context: 'Cats',
      message: 'the cat is gone',
    });
    const answer = await fetchFromOutside(`${url}/performance/findings/${finding?.id}`);
    expect(await answer.json()).toMatchObject({ id: finding?.id, log: { lines } });
    expect((await fetchFromOutside(`${url}/performance/findings/nothing`)).status).toBe(404);
    monitor.resetStats();
    expect(monitor.getFinding(finding?.id ?? '')).toBeUndefined();
  });

  it('keeps none of a fast request that succeeded, and none where nothing was logged', async () => {
    const application = await start({ keep: true }, platform);
    await fetchFromOutside(`${application.url}/fast`);
    expect(await logOf(application, 'silent')).toBeUndefined();
    expect(application.monitor.getSlowOperations()).toHaveLength(1);
    expect(application.monitor.getFindings()).toEqual([]);
  });
});

describe('logging.keep', () => {
  it.each([
    [true, 20],
    [3, 3],
    [100, 100],
  ])('with %s keeps the last %i lines', async (keep, kept) => {
    const log = await logOf(await start({ keep }), 'many');
    expect(messagesOf(log)).toHaveLength(kept);
    expect(messagesOf(log).at(-1)).toBe('line 499');
    expect(log?.omitted).toBe(500 - kept);
  });

  it('reads values without running their code, and only a part of large ones', async () => {
    const log = await logOf(await start({ keep: true }, 'express', silent), 'hostile');
    const [cycle, getter, trap, empty, symbol, missing, big, long, list, error, ...more] = messagesOf(log);
    expect(cycle).toMatch(/^\{ id: 7, password: \?, self: \{ id: 7/);
    expect(cycle).not.toContain('hunter2');
    expect([getter, trap, empty, symbol, missing, big]).toEqual([
      '{ broken: [getter] }',
      expect.stringContaining('[unreadable]'),
      '{}',
      'Symbol(s)',
      'undefined',
      '12',
    ]);
    expect(long).toHaveLength(500);
    expect(list).toMatch(/^\{ list: \[0, 1, .* … 99980 more\] \}$/);
    expect(error).toBe('TypeError: of the application with more');
    expect(more).toEqual([]);
  });

  it('removes secrets', async () => {
    const log = await logOf(await start(), 'secrets');
    expect(messagesOf(log)).toEqual([
      'login of ? with password=?',
      'Authorization: ?',
      "{ user: 'bob', apiKey: ?, nested: { token: ? } }",
      'query: select * from users where name = ? and pin = ?',
      'GET https://example.com/cats',
      'Error: Key (?) already exists',
      'Key (?) already exists',
      'Key (?) already exists Other',
      'key ? and card ?',
    ]);
  });

  it('keeps what a logger of the application receives, and the levels that Nest writes', async () => {
    class OwnConsole extends ConsoleLogger {
      override warn(): void {}
    }
    const own = new OwnConsole({ logLevels: ['warn'] });
    expect(messagesOf(await logOf(await start({ keep: true }, 'express', own), 'levels'))).toEqual([
      'a warning',
    ]);
  });

  it('keeps each line once, whether or not it goes through ConsoleLogger, and no longer than its request', async () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const application = await start({ keep: true }, 'express', new ConsoleLogger({ colors: true }));
    const { app, url, monitor } = application;
    expect(messagesOf(await logOf(application, 'slow/a', 'GET /slow/:name'))).toEqual(['begins a', 'ends a']);
    class Forwarding implements LoggerService {
      log(message: string): void {
        if (message.startsWith('begins')) new Logger('Inner').log('forwarded');
      }
      warn(): void {}
      error(): void {}
    }
    app.useLogger(new Forwarding());
    await fetchFromOutside(`${url}/slow/b`);
    await fetchFromOutside(`${url}/fast`);
    await until(() => monitor.getSlowOperations().length === 2);
    const [slow] = monitor.getSlowOperations();
    expect(messagesOf(monitor.getSlowOperation(slow?.id ?? '')?.log)).toEqual([
      'forwarded',
      'begins b',
      'ends b',
    ]);
    const { lines } = app.get(PerformanceMonitor).sink;
    await until(() => lines?.characters === 0);
    write.mockRestore();
  });

  it('leaves what a logger throws to its caller', async () => {
    const broken = {
      log: () => {
        throw new Error('broken');
      },
      warn() {},
      error() {},
      debug() {},
    } as unknown as LoggerService;
    const application = await start();
    Logger.overrideLogger(broken);
    const { url, monitor } = application;
    expect(await (await fetchFromOutside(`${url}/broken`)).text()).toBe('broken');
    await until(() => monitor.getSlowOperations().length > 0);
    const [slow] = monitor.getSlowOperations();
    expect(messagesOf(monitor.getSlowOperation(slow?.id ?? '')?.log)).toEqual(['to a broken logger']);
  });

  it('keeps the lines of another logger that asks for it', async () => {
    const application = await start();
    const log = await logOf(application, 'pino');
    expect(log?.lines).toEqual([
      { level: 'warn', offsetMs: expect.any(Number), context: 'pino', message: 'of pino' },
    ]);
    expect(() => keepLogLine('warn', 'outside')).not.toThrow();
  });

  it('is off by default, and restores the loggers once the last application has closed', async () => {
    const methods = () =>
      [Logger, Logger.prototype, ConsoleLogger.prototype].map((target) => [
        target.log,
        target.error,
        target.fatal,
      ]);
    const before = methods();
    const application = await start({});
    expect(methods()).toEqual(before);
    expect(await logOf(application, 'pino')).toBeUndefined();
    const one = await start();
    const other = await start();
    expect(
      methods()
        .flat()
        .some((method, index) => method === before.flat()[index]),
    ).toBe(false);
    await one.app.close();
    await one.app.close();
    expect(messagesOf(await logOf(other, 'levels'))).toEqual(['a debug line', 'a warning']);
    await other.app.close();
    expect(
      methods()
        .flat()
        .every((method, index) => method === before.flat()[index]),
    ).toBe(true);
  });

  it('leaves the wrapper of another tool in place, and keeps nothing more', async () => {
    const original = Logger.prototype.log;
    const { app } = await start();
    const kept = Logger.prototype.log;
    const wrapper = function (this: Logger, ...args: [unknown]): void {
      Reflect.apply(kept, this, args);
    };
    Logger.prototype.log = wrapper;
    await app.close();
    expect(Logger.prototype.log).toBe(wrapper);
    new Logger('Afterwards').log('still works');
    Logger.prototype.log = original;
  });

  it.each([[0], [101], [2.5], ['yes'], [null]])('refuses %j', async (keep) => {
    await expect(start({ keep: keep as never })).rejects.toThrow(
      /^Invalid logging\.keep: received .*, expected true, false or a whole number of lines from 1 to 100$/,
    );
  });
});
