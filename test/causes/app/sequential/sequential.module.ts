import { Module } from '@nestjs/common';
import { DashboardService } from './dashboard.service';
import { ProfitService } from './profit.service';
import { SequentialController } from './sequential.controller';

@Module({ controllers: [SequentialController], providers: [DashboardService, ProfitService] })
export class SequentialModule {}
