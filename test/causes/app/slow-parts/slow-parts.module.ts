import { Module } from '@nestjs/common';
import { ReportService } from './report.service';
import { ShippingService } from './shipping.service';
import { SlowPartsController } from './slow-parts.controller';

@Module({ controllers: [SlowPartsController], providers: [ReportService, ShippingService] })
export class SlowPartsModule {}
