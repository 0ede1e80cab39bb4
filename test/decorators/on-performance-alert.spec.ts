import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, Inject, Injectable, Module, type Provider, Scope } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { AlertOptions } from '../../lib/alerting/alert-options.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { AlertListeners } from '../../lib/nest/decorators/alert-listeners.js';
import { OnPerformanceAlert } from '../../lib/nest/decorators/on-performance-alert.decorator.js';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { PerformanceOptionsError } from '../../lib/validation/options-error.js';
import { KeptLog, startApplication, until } from '../support/application.js';

const ALERTS: AlertOptions = {
  defaultRules: false,
  intervalMs: 3_600_000,
  notifiers: { log: false },
  rules: [
    { kind: 'error_rate', threshold: 10, minCount: 1 },
    { kind: 'slow_percentage', threshold: 10, minCount: 1, severity: 'info' },
  ],
};
const received: string[] = [];
const tell = (who: string, { rule, subject, state }: PerformanceAlert): void => {
  received.push(`${who}: ${rule} ${subject} ${state}`);
};
let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  received.length = 0;
  for (const close of closing) await close();
  closing = [];
});

/** An application with these providers and modules. */
async function start(
  parts: { providers?: Provider[]; imports?: NonNullable<Parameters<typeof Module>[0]['imports']> },
  alerts: AlertOptions = ALERTS,
): Promise<{ app: INestApplication; monitor: PerformanceMonitor; log: KeptLog }> {
  const monitor = new PerformanceMonitor({ alerts });
  const log = new KeptLog();
  const testing = await Test.createTestingModule({
    imports: [DiscoveryModule, ...(parts.imports ?? [])],
    providers: [
      { provide: PerformanceMonitor, useValue: monitor },
      AlertListeners,
      ...(parts.providers ?? []),
    ],
  }).compile();
  const app = testing.createNestApplication({ logger: log });
  await app.init();
  closing.push(
    () => app.close(),
    () => monitor.shutdown(),
  );
  return { app, monitor, log };
}

/** Records failures, so that the error_rate rule fires. */
async function fail(monitor: PerformanceMonitor, type = 'http', slow = false): Promise<void> {
  monitor.record({ type, name: 'GET /a', durationMs: 5, thresholdMs: slow ? 1 : 50, error: true });
  monitor.evaluateAlerts();
  await turn();
}
async function recover(monitor: PerformanceMonitor): Promise<void> {
  monitor.resetStats();
  monitor.evaluateAlerts();
  await turn();
}
/** Events are given in a turn of their own, which comes after the timers of a busy machine. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(() => setImmediate(resolve), 5));

@Injectable()
class Pager {
  private readonly name = 'pager';

  @OnPerformanceAlert()
  page(alert: PerformanceAlert): void {
    tell(this.name, alert);
  }

  silent(alert: PerformanceAlert): void {
    tell('nobody', alert);
  }
}

describe('@OnPerformanceAlert', () => {
  it('calls a method of a provider when an alert fires and when it is resolved', async () => {
    const { monitor, log } = await start({ providers: [Pager] });
    await fail(monitor);
    await recover(monitor);
    expect(received).toEqual(['pager: error_rate http firing', 'pager: error_rate http resolved']);
    expect(log.kept.filter(({ level }) => level !== 'log')).toEqual([]);
  });

  it.each<[string, Parameters<typeof OnPerformanceAlert>[0], string[]]>([
    ['a rule', { rule: 'error_rate' }, ['error_rate http firing', 'error_rate http resolved']],
    ['a pattern', { rule: '*_rate', state: 'firing' }, ['error_rate http firing']],
    ['a state', { state: 'resolved', rule: 'slow_percentage' }, ['slow_percentage http resolved']],
    ['a severity', { severity: 'warning', state: 'firing' }, ['error_rate http firing']],
    ['severities', { severity: ['info', 'critical'], state: 'firing' }, ['slow_percentage http firing']],
    [
      'a subject',
      { subject: ['ht*', 'x'], rule: ['error_rate'], state: 'firing' },
      ['error_rate http firing'],
    ],
    ['another rule', { rule: 'error' }, []],
    ['another subject', { subject: 'database' }, []],
    ['another severity', { severity: 'critical' }, []],
  ])('selects %s', async (_what, filter, expected) => {
    class Filtered {
      @OnPerformanceAlert(filter)
      listen(alert: PerformanceAlert): void {
        tell('', alert);
      }
    }
    const { monitor } = await start({ providers: [Filtered] });
    await fail(monitor, 'http', true);
    await recover(monitor);
    expect(received).toEqual(expected.map((each) => `: ${each}`));
  });

  it('combines the filters of several decorators, and calls once', async () => {
    class Several {
      @OnPerformanceAlert({ state: 'firing' })
      @OnPerformanceAlert({ rule: 'error_rate', state: 'firing' })
      listen(alert: PerformanceAlert): void {
        tell('', alert);
      }
    }
    const { monitor } = await start({ providers: [Several] });
    await fail(monitor, 'http', true);
    await recover(monitor);
    expect(received.sort()).toEqual([': error_rate http firing', ': slow_percentage http firing']);
  });

  it('finds instances in several modules once, whatever their tokens', async () => {
    class Named {
      constructor(private readonly name: string) {}
      @OnPerformanceAlert({ state: 'firing' })
      listen(alert: PerformanceAlert): void {
        tell(this.name, alert);
      }
    }
    const shared = new Named('shared');
    @Module({
      providers: [
        { provide: Named, useValue: shared },
        { provide: 'alias', useExisting: Named },
      ],
    })
    class First {}
    @Module({
      providers: [
        { provide: 'again', useValue: shared },
        { provide: 'made', useFactory: async () => new Named('made') },
        Pager,
      ],
    })
    class Second {}
    const { monitor } = await start({ imports: [First, Second], providers: [Pager] });
    await fail(monitor);
    expect(received.sort()).toEqual([
      'made: error_rate http firing',
      'pager: error_rate http firing',
      'pager: error_rate http firing',
      'shared: error_rate http firing',
    ]);
  });

  it('logs errors and rejections of a listener, and calls the others', async () => {
    class Failing {
      @OnPerformanceAlert()
      throws(): never {
        throw new TypeError('no network');
      }
      @OnPerformanceAlert()
      async rejects(): Promise<never> {
        throw new RangeError('no pager');
      }
      @OnPerformanceAlert()
      rejectsWithAnything(): Promise<never> {
        return Promise.reject(Object.create(null));
      }
    }
    const { monitor, log } = await start({ providers: [Failing, Pager] });
    await fail(monitor);
    expect(received).toEqual(['pager: error_rate http firing']);
    const errors = log.kept.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(errors).toEqual([
      'Failing.throws failed on the alert error_rate (firing): TypeError: no network',
      'Failing.rejects failed on the alert error_rate (firing): RangeError: no pager',
      'Failing.rejectsWithAnything failed on the alert error_rate (firing): an object',
    ]);
  });

  it('skips request-scoped and transient providers with a warning', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class ForRequest extends Pager {}
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient extends Pager {}
    @Injectable()
    class Infected extends Pager {
      constructor(@Inject(ForRequest) readonly request: ForRequest) {
        super();
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Unconcerned {
      listen(): void {}
    }
    const { monitor, log } = await start({ providers: [ForRequest, Transient, Infected, Unconcerned] });
    await fail(monitor);
    expect(received).toEqual([]);
    const warnings = log.kept.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings.map((message) => message.replace(/\. Move .*/, '')).sort()).toEqual([
      'ForRequest.page will not receive alerts: its provider is request-scoped',
      'Infected.page will not receive alerts: its provider is request-scoped',
      'Transient.page will not receive alerts: its provider is transient',
    ]);
  });

  it('does not call overriding methods without the decorator, and does not read other members', async () => {
    class Quiet extends Pager {
      override page(): void {}
      get trap(): never {
        throw new Error('a getter was called');
      }
    }
    let armed = false;
    class Arming {
      onModuleInit(): void {
        armed = true;
      }
    }
    const angry = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          if (armed) throw new Error('a proxy was asked');
          return Object.prototype;
        },
      },
    );
    const { monitor, log } = await start({
      providers: [
        Quiet,
        Arming,
        { provide: 'angry', useValue: angry },
        { provide: 'bare', useValue: Object.create(null) },
        { provide: 'nothing', useValue: null },
        { provide: 'text', useValue: 'text' },
      ],
    });
    await fail(monitor);
    expect(received).toEqual([]);
    expect(log.kept.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('receives no silenced or limited alerts, and none after shutdown', async () => {
    const { app, monitor } = await start(
      { providers: [Pager] },
      { ...ALERTS, silences: [{ rule: 'error_rate' }], maxNotificationsPerHour: 1 },
    );
    await fail(monitor);
    expect(received).toEqual([]);
    await fail(monitor, 'http', true);
    await fail(monitor, 'database', true);
    expect(received).toEqual(['pager: slow_percentage http firing']);
    await app.close();
    await turn();
    await recover(monitor);
    expect(received).toHaveLength(1);
  });

  it('works below and above @TrackPerformance, and as a standard decorator', async () => {
    class Tracked {
      @TrackPerformance()
      @OnPerformanceAlert({ state: 'firing' })
      beneath(alert: PerformanceAlert): void {
        tell('beneath', alert);
      }
      @OnPerformanceAlert({ state: 'firing' })
      @TrackPerformance()
      above(alert: PerformanceAlert): void {
        tell('above', alert);
      }
      standard(alert: PerformanceAlert): void {
        tell('standard', alert);
      }
    }
    const context = { kind: 'method', name: 'standard', static: false };
    OnPerformanceAlert({ state: 'firing' })(
      Tracked.prototype.standard,
      context as ClassMethodDecoratorContext,
    );
    const { monitor } = await start({ providers: [Tracked] });
    await fail(monitor);
    expect(received.map((each) => each.split(':')[0])).toEqual(['beneath', 'above', 'standard']);
  });

  it('is connected by the module in a real application', async () => {
    const { app, monitor, logged } = await startApplication(
      'express',
      { providers: [Pager] },
      { alerts: ALERTS },
    );
    closing.push(() => app.close());
    await fail(app.get(PerformanceMonitor));
    await until(() => received.length > 0);
    expect(received).toEqual(['pager: error_rate http firing']);
    expect(monitor.getStats().totalOperations).toBe(1);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['a filter that is not an object', 5, 'filter: received 5'],
    ['an unknown name', { rules: 'a' }, 'filter.rules: received an unknown option'],
    ['an empty rule', { rule: '' }, 'filter.rule: received ""'],
    ['no rules', { rule: [] }, 'filter.rule: received an array'],
    ['a severity', { severity: ['fatal'] }, 'filter.severity: received an array'],
    ['a state', { state: 'pending' }, 'filter.state: received "pending", expected firing or resolved'],
  ])('rejects %s', (_what, filter, message) => {
    expect(() => OnPerformanceAlert(filter as never)).toThrow(PerformanceOptionsError);
    expect(() => OnPerformanceAlert(filter as never)).toThrow(`Invalid @OnPerformanceAlert ${message}`);
  });

  it.each<[string, [target: unknown, property: unknown, descriptor?: unknown]]>([
    ['a property', [{}, 'field', undefined]],
    ['an accessor', [{}, 'field', { get: () => 1 }]],
    ['a static method', [class {}, 'field', { value: () => {} }]],
    ['a field with standard decorators', [undefined, { kind: 'field', name: 'field' }]],
  ])('rejects %s', (_what, given) => {
    expect(() => (OnPerformanceAlert() as (...given: unknown[]) => void)(...given)).toThrow(
      /Invalid use of @OnPerformanceAlert: field is not an instance method/,
    );
  });
});
