import { Module } from '@nestjs/common';
import { BatchesController } from './batches.controller';
import { CallsController } from './calls.controller';
import { RepricingJob } from './repricing.job';
import { StepsController } from './steps.controller';

/** What looks like a fault and is none. */
@Module({
  controllers: [BatchesController, CallsController, StepsController],
  providers: [RepricingJob],
  exports: [RepricingJob],
})
export class ControlsModule {}
