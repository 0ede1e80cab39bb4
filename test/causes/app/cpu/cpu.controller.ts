import { Controller, Get, Post } from '@nestjs/common';
import { ExportService } from './export.service';
import { MailValidator } from './mail.validator';
import { ReceiptService } from './receipt.service';
import { RecommendationService } from './recommendation.service';
import { StatementService } from './statement.service';

/** Requests that are slow because of JavaScript or garbage collection. */
@Controller('cpu')
export class CpuController {
  constructor(
    private readonly recommendations: RecommendationService,
    private readonly receipts: ReceiptService,
    private readonly exports: ExportService,
    private readonly mails: MailValidator,
    private readonly statements: StatementService,
  ) {}

  @Get('loop')
  loop(): unknown {
    return this.recommendations.similarities(400);
  }

  @Get('slices')
  slices(): Promise<unknown> {
    return this.recommendations.scoresInSlices(20);
  }

  @Get('after-query')
  afterQuery(): Promise<unknown> {
    return this.recommendations.rankBooks();
  }

  @Post('pbkdf2')
  pbkdf2(): string {
    return this.receipts.sign('order 1');
  }

  @Get('json')
  json(): unknown {
    return { bytes: this.exports.serialize() };
  }

  @Get('regex')
  regex(): unknown {
    return this.mails.isValid(`${'a'.repeat(26)}!`);
  }

  @Get('gc-copies')
  gcCopies(): unknown {
    return this.statements.copies(250_000);
  }

  @Get('gc-snapshots')
  gcSnapshots(): unknown {
    return this.statements.snapshots(250_000);
  }
}
