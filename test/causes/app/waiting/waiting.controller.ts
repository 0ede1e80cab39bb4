import { Controller, Get } from '@nestjs/common';
import { Pool } from 'pg';
import { BackupService } from './backup.service';
import { LimitsService } from './limits.service';
import { Mutex } from './mutex';
import { OtherThreadsService } from './other-threads.service';

/** Waits for something that is not instrumented. */
@Controller('waiting')
export class WaitingController {
  constructor(
    private readonly pool: Pool,
    private readonly backup: BackupService,
    private readonly mutex: Mutex,
    private readonly limits: LimitsService,
    private readonly threads: OtherThreadsService,
  ) {}

  @Get('timer')
  timer(): Promise<string> {
    return this.backup.pause();
  }

  @Get('mutex')
  mutexed(): Promise<unknown> {
    return this.mutex.run(async () => {
      const { rows } = await this.pool.query('SELECT amount FROM stock WHERE book_id = $1', [5]);
      return rows;
    });
  }

  @Get('socket')
  socket(): Promise<string> {
    return this.backup.overSocket();
  }

  @Get('process')
  process(): Promise<string> {
    return this.backup.inOtherProcess();
  }

  @Get('back-off')
  backOff(): Promise<unknown> {
    return this.limits.withBackOff();
  }

  @Get('rate-limit')
  rateLimit(): Promise<unknown> {
    return this.limits.limited(['/weather', '/news', '/offers', '/basket']);
  }

  @Get('event')
  event(): Promise<unknown> {
    return this.limits.stocked();
  }

  @Get('worker')
  worker(): Promise<unknown> {
    return this.threads.inWorker();
  }

  @Get('thread-pool')
  threadPool(): Promise<unknown> {
    return this.threads.inThreadPool();
  }
}
