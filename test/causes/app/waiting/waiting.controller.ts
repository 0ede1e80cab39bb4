import { Controller, Get } from '@nestjs/common';
import { Pool } from 'pg';
import { BackupService } from './backup.service';
import { Mutex } from './mutex';

/** Waits for something that is not instrumented. */
@Controller('waiting')
export class WaitingController {
  constructor(
    private readonly pool: Pool,
    private readonly backup: BackupService,
    private readonly mutex: Mutex,
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
}
