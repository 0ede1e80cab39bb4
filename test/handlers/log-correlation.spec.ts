import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Controller, Get, Logger } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import pino from 'pino';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { traceFields } from '../../lib/tracing/trace-fields.js';
import {
  fetchFromOutside,
  PLATFORMS,
  startApplication,
  type TestApplication,
} from '../support/application.js';

let traceId = '';
const pinoLines: string[] = [];
const pinoLogger = pino(
  { mixin: traceFields },
  new Writable({
    write(chunk, _, done) {
      pinoLines.push(String(chunk));
      done();
    },
  }),
);

@Controller()
class CatsController {
  private readonly logger = new Logger('Cats');

  @Get('cats')
  cats(): string {
    traceId = trace.getActiveSpan()?.spanContext().traceId ?? '';
    this.logger.warn('a cat', 'Cats');
    pinoLogger.info('a cat');
    return 'cats';
  }
}

const TRACE = { trace_id: /^[\da-f]{32}$/, span_id: /^[\da-f]{16}$/, trace_flags: /^0[01]$/ };
let applications: TestApplication[] = [];
let written: string[] = [];
beforeEach(() => {
  written = [];
  const keep = (text: unknown): boolean => written.push(String(text)) > 0;
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(async () => {
  for (const { app } of applications) await app.close();
  applications = [];
  jest.restoreAllMocks();
});

async function start(
  logger: ConsoleLogger,
  logging?: PerformanceOptions['logging'],
  platform: (typeof PLATFORMS)[number] = 'express',
): Promise<TestApplication> {
  const application = await startApplication(platform, { controllers: [CatsController] }, { logging });
  applications.push(application);
  application.app.useLogger(logger);
  return application;
}
async function lineOf(logger: ConsoleLogger, logging?: PerformanceOptions['logging']): Promise<string> {
  const { url } = await start(logger, logging);
  await fetchFromOutside(`${url}/cats`);
  return written.find((line) => line.includes('a cat')) ?? '';
}
const asJson = (): ConsoleLogger => new ConsoleLogger({ json: true, colors: false });
const asText = (): ConsoleLogger => new ConsoleLogger({ colors: false });

describe.each(PLATFORMS)('logging.correlate on %s', (platform) => {
  it('adds the trace of the request to JSON', async () => {
    const { url } = await start(asJson(), { correlate: true }, platform);
    await fetchFromOutside(`${url}/cats`);
    const line = JSON.parse(written.find((text) => text.includes('a cat')) ?? '{}') as object;
    expect(line).toMatchObject({ level: 'warn', message: 'a cat', context: 'Cats', trace_id: traceId });
    for (const [name, form] of Object.entries(TRACE))
      expect(line).toHaveProperty(name, expect.stringMatching(form));
  });
});

describe('logging.correlate', () => {
  it('adds the trace of the request to text', async () => {
    expect(await lineOf(asText(), { correlate: true })).toMatch(
      new RegExp(`a cat.* trace_id=${traceId} span_id=[\\da-f]{16} trace_flags=0[01]\\n$`),
    );
  });

  it('extends subclasses, once, with any number of applications, until the last has closed', async () => {
    class OwnLogger extends ConsoleLogger {
      protected override formatMessage(...args: Parameters<ConsoleLogger['formatMessage']>): string {
        return `own ${super.formatMessage(...args)}`;
      }
    }
    const other = await start(asText(), { correlate: true });
    const line = await lineOf(new OwnLogger('', { colors: false }), { correlate: true });
    expect(line).toMatch(/^own /);
    expect(line.match(/trace_id=/g)).toHaveLength(1);
    await other.app.close();
    await other.app.close();
    expect(await lineOf(asText(), { correlate: true })).toContain('trace_id=');
    for (const { app } of applications.splice(0)) await app.close();
    // It keeps the tracing of the process.
    await start(asText());
    trace.getTracer('test').startActiveSpan('closed', (span) => {
      expect(traceFields().trace_id).toBeDefined();
      asText().log('afterwards');
      span.end();
    });
    expect(written.find((text) => text.includes('afterwards'))).not.toContain('trace_id');
  });

  it('leaves the lines of a tool that has wrapped the logger as they were, once it is over', async () => {
    const { formatMessage } = ConsoleLogger.prototype as unknown as { formatMessage(): string };
    const prototype = ConsoleLogger.prototype as unknown as { formatMessage(): string };
    // It keeps the tracing of the process.
    await start(asText());
    const { app } = await start(asText(), { correlate: true });
    const extended = prototype.formatMessage;
    prototype.formatMessage = function (...args) {
      return Reflect.apply(extended, this, args);
    };
    await app.close();
    trace.getTracer('test').startActiveSpan('wrapped', (span) => {
      expect(traceFields().trace_id).toBeDefined();
      asText().log('wrapped');
      span.end();
    });
    prototype.formatMessage = formatMessage;
    expect(written.find((text) => text.includes('wrapped'))).not.toContain('trace_id');
  });

  it('changes nothing outside of a trace', async () => {
    await start(asJson(), { correlate: true });
    asJson().log('outside');
    expect(written.find((text) => text.includes('outside'))).not.toContain('trace_id');
  });

  it('is off by default', async () => {
    expect(await lineOf(asJson())).not.toContain('trace_id');
  });
});

it('gives pino the trace as fields', async () => {
  await lineOf(asText());
  expect(JSON.parse(pinoLines.at(-1) ?? '{}')).toMatchObject({ msg: 'a cat', trace_id: traceId });
  expect(traceFields()).toEqual({});
});
