import { Module } from '@nestjs/common';
import { CpuController } from './cpu.controller';
import { ExportService } from './export.service';
import { MailValidator } from './mail.validator';
import { ReceiptService } from './receipt.service';
import { RecommendationService } from './recommendation.service';
import { StatementService } from './statement.service';

@Module({
  controllers: [CpuController],
  providers: [ExportService, MailValidator, ReceiptService, RecommendationService, StatementService],
})
export class CpuModule {}
