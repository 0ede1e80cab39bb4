import { Controller, Get } from '@nestjs/common';
import { DashboardService } from './dashboard.service';
import { ProfitService } from './profit.service';

/** Sequential calls that could run in parallel. */
@Controller('sequential')
export class SequentialController {
  constructor(
    private readonly dashboard: DashboardService,
    private readonly profit: ProfitService,
  ) {}

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

  @Get('requests')
  requests(): Promise<unknown> {
    return this.profit.byRequests();
  }

  @Get('postgres-js')
  postgresJs(): Promise<unknown> {
    return this.profit.byPostgresJs();
  }

  @Get('repositories')
  repositories(): Promise<unknown> {
    return this.profit.byRepositories();
  }

  @Get('wrapped')
  wrapped(): Promise<unknown> {
    return this.profit.byParts();
  }
}
