import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { BatchesController } from './batches.controller';
import { CallsController } from './calls.controller';
import { PagesController } from './pages.controller';
import { RepricingJob } from './repricing.job';
import { SessionMiddleware, SessionsController } from './sessions.controller';
import { StepsController } from './steps.controller';
import { WritesController } from './writes.controller';

/** Requests that look like a fault and are none. */
@Module({
  controllers: [
    BatchesController,
    CallsController,
    PagesController,
    SessionsController,
    StepsController,
    WritesController,
  ],
  providers: [RepricingJob],
  exports: [RepricingJob],
})
export class ControlsModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionMiddleware, SessionMiddleware, SessionMiddleware).forRoutes('controls/session');
  }
}
