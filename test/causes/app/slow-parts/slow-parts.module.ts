import { Module } from '@nestjs/common';
import { PartnerService } from './partner.service';
import { ReportService } from './report.service';
import { ShippingService } from './shipping.service';
import { SlowCallsController } from './slow-calls.controller';
import { SlowPartsController } from './slow-parts.controller';
import { SlowStatementsController } from './slow-statements.controller';
import { StatementService } from './statement.service';

@Module({
  controllers: [SlowCallsController, SlowPartsController, SlowStatementsController],
  providers: [PartnerService, ReportService, ShippingService, StatementService],
})
export class SlowPartsModule {}
