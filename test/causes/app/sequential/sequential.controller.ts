import { Controller, Get } from '@nestjs/common';
import { DashboardService } from './dashboard.service';

/** Sequential calls that could run in parallel. */
@Controller('sequential')
export class SequentialController {
  constructor(private readonly dashboard: DashboardService) {}

  @Get('fetches')
  fetches(): Promise<unknown> {
    return this.dashboard.fromServices();
  }

  @Get('queries')
  queries(): Promise<unknown> {
    return this.dashboard.fromDatabase();
  }

  @Get('mixed')
  mixed(): Promise<unknown> {
    return this.dashboard.fromEverywhere();
  }
}
