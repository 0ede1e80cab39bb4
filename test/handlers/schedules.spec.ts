import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, type Provider } from '@nestjs/common';
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application';
import { sleep } from '../support/tracing';

/** How often the runs of a test started. */
const started = new Map<string, number>();
const count = (name: string): number => started.get(name) ?? 0;
const begin = (name: string): void => void started.set(name, count(name) + 1);
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
/** Right after the next start of a run. */
async function afterRun(name: string): Promise<void> {
  const before = count(name);
  await until(() => count(name) > before);
}

let application: TestApplication;
afterEach(async () => {
  await application.app.close();
  started.clear();
});
async function start(providers: Provider[], options = {}): Promise<void> {
  application = await startApplication(
    'express',
    {
      imports: [ScheduleModule.forRoot() as never],
      providers: providers as never,
      controllers: [PollController],
    },
    options,
  );
}
const findings = () =>
  application.monitor
    .getFindings()
    .filter(({ type }) => type === 'overlapping_runs' || type === 'missed_runs');

@Injectable()
class Slow {
  @Interval(100)
  async run(): Promise<void> {
    begin('slow');
    await sleep(160);
  }
}

@Injectable()
class Quick {
  @Interval(200)
  async poll(): Promise<void> {
    begin('quick');
    await sleep(60);
  }

  @Interval(200)
  async other(): Promise<void> {
    await sleep(120);
  }

  @Timeout(10)
  async once(): Promise<void> {
    await sleep(300);
  }
}

@Injectable()
class Locked {
  private isRunning = false;

  @Interval(50)
  async run(): Promise<void> {
    begin('locked');
    if (this.isRunning) return;
    this.isRunning = true;
    await sleep(220);
    this.isRunning = false;
  }
}

@Injectable()
class Clock {
  @Cron('* * * * * *')
  second(): void {
    begin('second');
  }

  @Cron('* * * * * *', { name: 'named', timeZone: 'UTC' })
  named(): void {
    begin('named');
  }

  @Cron('* * * * * *', { waitForCompletion: true })
  async waits(): Promise<void> {
    begin('waits');
    await sleep(1300);
  }
}

@Injectable()
class Dynamic {
  @Interval('dynamic', 100)
  run(): void {
    begin('dynamic');
  }
}

@Injectable()
class Polled {
  @Interval(60_000)
  async run(): Promise<void> {
    begin('polled');
    await sleep(100);
  }
}

@Controller()
class PollController {
  constructor(@Inject(Polled) private readonly polled: Polled) {}

  @Get('poll')
  async poll(): Promise<string> {
    await this.polled.run();
    return 'polled';
  }
}

describe('a schedule is reported', () => {
  it('whose runs overlap, with how often and how long', async () => {
    await start([Polled, Slow, Quick]);
    await until(() => (findings()[0]?.count ?? 0) > 2);
    const found = findings();
    expect(found).toMatchObject([
      {
        type: 'overlapping_runs',
        route: 'Slow.run',
        repetitions: 2,
        explanation: expect.stringMatching(/^Slow\.run started while its previous run/),
      },
    ]);
    expect(found[0]?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(found[0]?.worstMs).toBeGreaterThan(10);
    const response = await fetchFromOutside(`${application.url}/performance/findings?type=overlapping_runs`);
    expect(await response.json()).toMatchObject([{ route: 'Slow.run' }]);
  });

  it('whose runs did not happen because the event loop was blocked, for an interval', async () => {
    await start([Polled, Quick]);
    await afterRun('quick');
    await afterRun('quick');
    block(900);
    await until(() => findings().length > 1);
    expect(
      findings()
        .map(({ type, route }) => [type, route])
        .sort(),
    ).toEqual([
      ['missed_runs', 'Quick.other'],
      ['missed_runs', 'Quick.poll'],
    ]);
    expect(findings()[0]?.repetitions).toBeGreaterThanOrEqual(3);
  });

  it('whose runs did not happen, for cron jobs with and without a name', async () => {
    await start([Polled, Clock]);
    // A second may begin while the jobs are created, so that only some of them run in it.
    await afterRun('second');
    await afterRun('second');
    block(3300);
    await until(() => findings().length > 1);
    expect(findings().map(({ type, route }) => [type, route])).toEqual(
      expect.arrayContaining([
        ['missed_runs', 'Clock.second'],
        ['missed_runs', 'Clock.named'],
      ]),
    );
    expect(findings().find(({ route }) => route === 'Clock.second')?.repetitions).toBe(2);
  });
});

describe('a schedule is not reported', () => {
  it('whose runs are shorter than its period, with several methods and instances of a class', async () => {
    await start([Polled, { provide: 'first', useClass: Quick }, { provide: 'second', useClass: Quick }]);
    await until(() => count('quick') > 8);
    expect(findings()).toEqual([]);
  });

  it('whose run is delayed by less than a period', async () => {
    await start([Polled, Quick]);
    await afterRun('quick');
    // A starved process takes longer: 400 ms would be a run that did not happen.
    block(260);
    await afterRun('quick');
    await afterRun('quick');
    expect(findings()).toEqual([]);
  });

  it('whose run returns while another one runs', async () => {
    await start([Polled, Locked]);
    await until(() => count('locked') > 12);
    expect(findings()).toEqual([]);
  });

  it('that was removed and added again', async () => {
    await start([Polled, Dynamic]);
    const registry = application.app.get(SchedulerRegistry);
    await until(() => count('dynamic') > 2);
    registry.deleteInterval('dynamic');
    await sleep(500);
    const runs = application.app.get(Dynamic);
    registry.addInterval(
      'dynamic',
      setInterval(() => runs.run(), 300),
    );
    await afterRun('dynamic');
    await afterRun('dynamic');
    expect(findings()).toEqual([]);
  });

  it('that was stopped, or waits for its previous run, as cron jobs can', async () => {
    await start([Polled, Clock]);
    await afterRun('named');
    const job = application.app.get(SchedulerRegistry).getCronJob('named');
    void job.stop();
    await until(() => count('waits') > 2, 9000);
    job.start();
    await afterRun('named');
    await afterRun('named');
    expect(findings()).toEqual([]);
  });

  it('that a request calls itself, at the same time as others', async () => {
    await start([Polled]);
    const asked = [1, 2, 3].map(() => fetchFromOutside(`${application.url}/poll`));
    for (const response of await Promise.all(asked)) expect(await response.text()).toBe('polled');
    expect(count('polled')).toBe(3);
    expect(findings()).toEqual([]);
  });

  it('without explanations of what is slow', async () => {
    await start([Polled, Slow], { detection: { explain: false } });
    await until(() => count('slow') > 5);
    expect(findings()).toEqual([]);
  });
});
