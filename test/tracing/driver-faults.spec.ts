import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { DriverStatus } from '../../lib/operation/driver-status.js';
import { DriverInstrumentation } from '../../lib/tracing/drivers.js';

const WORKING = `exports.MySQLInstrumentation = class {
  instrumentationName = 'working';
  setTracerProvider() {}
  getModuleDefinitions() { return []; }
  disable() {}
};`;

describe('an application whose drivers are at fault', () => {
  const [, main] = process.argv;
  let folder: string;
  let warnings: string[];
  let drivers: DriverInstrumentation;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'driver-faults-'));
    process.argv[1] = join(folder, 'main.js');
    warnings = [];
    write('package.json', '{"name":"application","dependencies":{"mysql":"2"}}');
  });

  afterEach(() => {
    drivers?.disable();
    process.argv[1] = main as string;
    rmSync(folder, { recursive: true, force: true });
  });

  function write(path: string, text: string): void {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  const install = (name: string, text: string, manifest = '{"version":"2.18.1"}'): void => {
    write(`node_modules/${name}/package.json`, manifest);
    write(`node_modules/${name}/index.js`, text);
  };
  const instrument = (text: string): void => install('@opentelemetry/instrumentation-mysql', text);

  async function enable(): Promise<DriverStatus | undefined> {
    drivers = new DriverInstrumentation((message) => warnings.push(message));
    await drivers.enable(new NodeTracerProvider());
    drivers.refresh();
    return drivers.statuses().find(({ driver }) => driver === 'mysql');
  }

  it.each([
    [
      'a constructor that throws',
      'exports.MySQLInstrumentation = class { constructor() { throw new Error("no"); } };',
    ],
    ['a module that throws', 'throw new Error("no");'],
    [
      'a getter that throws',
      'Object.defineProperty(exports, "MySQLInstrumentation", { get() { throw new Error("no"); } });',
    ],
    ['an error without text', 'throw { toString() { throw this; } };'],
    ['a list of modules that throws, each time', WORKING.replace('return []', 'throw new Error("no")')],
    ['no list of modules', WORKING.replace('return []', 'return 1')],
  ])('starts, with one warning, beside an instrumentation with %s', async (_fault, text) => {
    install('mysql', '');
    instrument(text);
    expect(await enable()).toMatchObject({ seen: false });
    expect(warnings).toEqual([expect.stringMatching(/^mysql is not instrumented, /)]);
  });

  it('starts, with one warning, beside a driver with a getter that throws', async () => {
    install(
      'mysql',
      'Object.defineProperty(exports, "createConnection", { get() { throw new Error("no"); } });',
    );
    instrument(WORKING);
    createRequire(join(folder, 'main.js'))('mysql');
    expect(await enable()).toMatchObject({ seen: false });
    expect(warnings).toHaveLength(1);
  });

  it('says nothing of an instrumentation that works', async () => {
    install('mysql', 'exports.createConnection = () => {};');
    instrument(WORKING);
    expect(await enable()).toMatchObject({ seen: true, version: '2.18.1' });
    expect(warnings).toEqual([]);
  });

  it.each([['latest'], ['']])('accepts the version %j', async (version) => {
    install('mysql', '', JSON.stringify({ version }));
    instrument(WORKING);
    expect(await enable()).toMatchObject({ seen: true });
    expect(warnings).toEqual([]);
  });

  it.each(['{', 'null', '[]', ''])(
    'takes a driver whose package.json is %j for what it is',
    async (manifest) => {
      install('mysql', '', manifest);
      await enable();
      expect(warnings).toEqual([]);
    },
  );

  it.each(['-', 'word', '[worker eval]', '', 'relative/main.js'])(
    'resolves packages from the working directory if the main file is %j',
    async (file) => {
      process.argv[1] = file;
      await enable();
      expect(warnings).toEqual([]);
      expect(drivers.statuses().find(({ driver }) => driver === 'fetch')).toMatchObject({ seen: true });
    },
  );
});

describe('an application that has the package of a transport of Nest', () => {
  const [, main] = process.argv;
  let folder: string;
  let drivers: DriverInstrumentation;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'driver-transports-'));
    process.argv[1] = join(folder, 'main.js');
  });

  afterEach(() => {
    drivers.disable();
    process.argv[1] = main as string;
    rmSync(folder, { recursive: true, force: true });
  });

  // The instrumentation of gRPC is installed in this repository.
  const TRANSPORTS = ['amqplib', 'kafkajs', 'mqtt', 'nats'];
  const GRPC = '@grpc/grpc-js';

  async function statuses(
    dependencies: readonly string[],
    set: (drivers: DriverInstrumentation) => Promise<void>,
  ): Promise<DriverStatus[]> {
    const versions = Object.fromEntries(dependencies.map((name) => [name, '2']));
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'application', dependencies: versions }),
    );
    for (const name of dependencies) {
      mkdirSync(join(folder, 'node_modules', name), { recursive: true });
      writeFileSync(join(folder, 'node_modules', name, 'package.json'), '{"version":"2.0.0"}');
    }
    drivers = new DriverInstrumentation(() => {});
    await set(drivers);
    return drivers.statuses().filter(({ driver }) => [...TRANSPORTS, GRPC].includes(driver));
  }

  it('is told that its messages are seen', async () => {
    const all = await statuses([...TRANSPORTS, '@nestjs/microservices'], (each) =>
      each.enable(new NodeTracerProvider()),
    );
    expect(all.map(({ driver }) => driver).sort()).toEqual(TRANSPORTS);
    for (const { seen, how, advice } of all)
      expect([seen, how, advice]).toEqual([true, 'messages of @nestjs/microservices', undefined]);
  });

  it('is told the same with a tracer provider of its own, unless nothing is instrumented', async () => {
    for (const messages of [true, false]) {
      const all = await statuses([GRPC, '@nestjs/microservices'], (each) => each.inspect(messages));
      expect(all).toMatchObject([{ driver: GRPC, seen: messages }]);
    }
  });

  it('is told that the package is not seen without the microservices of Nest', async () => {
    const all = await statuses(TRANSPORTS, (each) => each.enable(new NodeTracerProvider()));
    expect(all.map(({ seen }) => seen)).toEqual(TRANSPORTS.map(() => false));
  });
});
