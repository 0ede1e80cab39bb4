import { Module } from '@nestjs/common';
import { BackupService } from './backup.service';
import { Mutex } from './mutex';
import { WaitingController } from './waiting.controller';

@Module({ controllers: [WaitingController], providers: [BackupService, Mutex], exports: [Mutex] })
export class WaitingModule {}
