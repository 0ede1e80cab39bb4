import { Module } from '@nestjs/common';
import { BlockingJob } from './blocking.job';
import { EventLoopController } from './event-loop.controller';
import { Rendezvous } from './rendezvous';

@Module({ controllers: [EventLoopController], providers: [BlockingJob, Rendezvous], exports: [Rendezvous] })
export class EventLoopModule {}
