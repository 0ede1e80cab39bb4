import { Module } from '@nestjs/common';
import { BatchesController } from './batches.controller';
import { CallsController } from './calls.controller';
import { RepricingJob } from './repricing.job';
import { StepsController } from './steps.controller';

/** Requests that look like a fault and are none. */
@Module({
  controllers: [BatchesController, CallsController, StepsController],
  providers: [RepricingJob],
  exports: [RepricingJob],
})
export class ControlsModule {}
