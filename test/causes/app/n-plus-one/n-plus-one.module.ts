import { Module } from '@nestjs/common';
import { AuditWriter } from './audit.writer';
import { AuthorLoader } from './author.loader';
import { CatalogReader } from './catalog.reader';
import { NPlusOneController } from './n-plus-one.controller';
import { PriceService } from './price.service';
import { ProfileClient } from './profile.client';
import { SettingsService } from './settings.service';
import { StockService } from './stock.service';

@Module({
  controllers: [NPlusOneController],
  providers: [
    AuditWriter,
    AuthorLoader,
    CatalogReader,
    PriceService,
    ProfileClient,
    SettingsService,
    StockService,
  ],
})
export class NPlusOneModule {}
