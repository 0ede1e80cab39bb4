import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { BlockingJob } from './blocking.job';
import { EventLoopController } from './event-loop.controller';
import { InvoiceSchedule } from './invoice.schedule';
import { Rendezvous } from './rendezvous';

@Module({
  imports: [ScheduleModule.forRoot()],
  controllers: [EventLoopController],
  providers: [BlockingJob, InvoiceSchedule, Rendezvous],
  exports: [Rendezvous],
})
export class EventLoopModule {}
