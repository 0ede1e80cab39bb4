import { Module } from '@nestjs/common';
import { BackupService } from './backup.service';
import { LimitsService } from './limits.service';
import { Mutex } from './mutex';
import { OtherThreadsService } from './other-threads.service';
import { WaitingController } from './waiting.controller';

@Module({
  controllers: [WaitingController],
  providers: [BackupService, LimitsService, Mutex, OtherThreadsService],
  exports: [Mutex],
})
export class WaitingModule {}
