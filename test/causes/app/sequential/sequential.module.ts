import { Module } from '@nestjs/common';
import { DashboardService } from './dashboard.service';
import { SequentialController } from './sequential.controller';

@Module({ controllers: [SequentialController], providers: [DashboardService] })
export class SequentialModule {}
