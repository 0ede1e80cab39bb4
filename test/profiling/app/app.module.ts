import { Controller, Get, Module, Query } from '@nestjs/common';
import { PerformanceModule, SlowThreshold } from 'nestjs-performance';
import {
  AuthService,
  ExportService,
  NoiseService,
  ReportService,
  ScoringService,
  TextService,
} from './guilty.service';

/** Steps of simple arithmetic that take about a millisecond. */
const MILLISECOND = 150_000;

@Controller()
@SlowThreshold(50)
export class GuiltyController {
  constructor(
    private readonly scoring: ScoringService,
    private readonly auth: AuthService,
    private readonly text: TextService,
    private readonly exports: ExportService,
    private readonly reports: ReportService,
    private readonly noise: NoiseService,
  ) {}

  @Get('own')
  own(): number {
    return this.scoring.score(250 * MILLISECOND);
  }

  @Get('recursive')
  recursive(): number {
    return this.scoring.recursive(36);
  }

  @Get('crypto')
  crypto(): string {
    return this.auth.hash('password', 300_000);
  }

  @Get('regex')
  regex(): boolean {
    return this.text.isMail(`${'a'.repeat(24)}!`);
  }

  @Get('dependency')
  dependency(): number {
    return this.text.distance('performance'.repeat(1000), 'permanence'.repeat(1000));
  }

  @Get('json')
  json(): number {
    return this.exports.toJson(250);
  }

  @Get('sort')
  sort(): number {
    return this.exports.ranked(10);
  }

  @Get('zlib')
  zlib(): number {
    return this.exports.compressed(80);
  }

  @Get('turns')
  turns(): Promise<number> {
    return this.reports.inTurns(60, 5 * MILLISECOND);
  }

  @Get('timers')
  timers(): Promise<number> {
    return this.reports.inTimers(60, 15 * MILLISECOND);
  }

  @Get('promises')
  promises(): Promise<number> {
    return this.reports.inPromises(60, 5 * MILLISECOND);
  }

  /** Two methods of one request side by side, each an operation of its own. */
  @Get('methods')
  async methods(): Promise<number> {
    const [a, b] = await Promise.all([
      this.reports.chart(50, 6 * MILLISECOND),
      this.reports.legend(50, 3 * MILLISECOND),
    ]);
    return a + b;
  }

  @Get('noise')
  @SlowThreshold(60_000)
  makeNoise(@Query('pieces') pieces = '100'): Promise<number> {
    return this.noise.make(Number(pieces), 5 * MILLISECOND);
  }

  @Get('quick')
  quick(): string {
    return 'quick';
  }
}

@Module({
  imports: [
    PerformanceModule.forRoot({
      enableProfiling: true,
      profileSlowOperations: true,
      alerts: { enabled: false },
      profiling: {
        cooldownSeconds: 0,
        maxPerMinute: 1000,
        directory: process.env['PROFILES'],
        ...(process.env['SAMPLER'] === undefined ? {} : { sampler: process.env['SAMPLER'] as 'inspector' }),
      },
    }),
  ],
  controllers: [GuiltyController],
  providers: [ScoringService, AuthService, TextService, ExportService, ReportService, NoiseService],
})
export class AppModule {}
