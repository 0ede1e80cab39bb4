import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Module, Post } from '@nestjs/common';
import { Client, Pool } from 'pg';
import { DataSource } from 'typeorm';
import { ControlsModule } from '../controls/controls.module';
import { RepricingJob } from '../controls/repricing.job';
import { Mutex } from '../waiting/mutex';
import { WaitingModule } from '../waiting/waiting.module';

const HELD_MS = 220;
const CONNECTIONS = 5;

/** Prepares the conditions of a case: each route responds when they hold, and ends them shortly afterwards. */
@Controller('companions')
class CompanionsController {
  constructor(
    private readonly pool: Pool,
    private readonly database: DataSource,
    private readonly mutex: Mutex,
    private readonly job: RepricingJob,
  ) {}

  /** Another connection changes a row and commits late. */
  @Post('lock')
  async lock(): Promise<void> {
    const client = new Client({ connectionString: process.env['NEAR_DATABASE_URL'] });
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT amount FROM stock WHERE book_id = 4711 FOR UPDATE');
    setTimeout(() => client.query('COMMIT').then(() => client.end()), HELD_MS);
  }

  /** Another connection keeps an advisory lock for a while. */
  @Post('advisory-lock')
  async advisoryLock(): Promise<void> {
    const client = new Client({ connectionString: process.env['NEAR_DATABASE_URL'] });
    await client.connect();
    await client.query('SELECT pg_advisory_lock(815)');
    setTimeout(() => client.end(), HELD_MS);
  }

  @Post('pool')
  async takePool(): Promise<void> {
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => this.pool.connect()));
    setTimeout(() => {
      for (const client of clients) client.release();
    }, HELD_MS);
  }

  @Post('typeorm-pool')
  async takeTypeormPool(): Promise<void> {
    const runners = Array.from({ length: CONNECTIONS }, () => this.database.createQueryRunner());
    await Promise.all(runners.map((runner) => runner.connect()));
    setTimeout(() => {
      for (const runner of runners) runner.release();
    }, HELD_MS);
  }

  @Post('mutex')
  async takeMutex(): Promise<void> {
    await new Promise<void>((taken) => {
      this.mutex.run(() => {
        taken();
        return sleep(HELD_MS);
      });
    });
  }

  @Post('job')
  runJob(): void {
    this.job.makeDue(true);
  }

  @Post('untracked-job')
  runUntrackedJob(): void {
    this.job.makeDue(false);
  }
}

@Module({ imports: [ControlsModule, WaitingModule], controllers: [CompanionsController] })
export class CompanionsModule {}
