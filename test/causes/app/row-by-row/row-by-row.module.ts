import { Module } from '@nestjs/common';
import { CatalogWriter } from './catalog.writer';
import { CategoryTree } from './category.tree';
import { ReviewReader } from './review.reader';
import { RowByRowController } from './row-by-row.controller';

@Module({ controllers: [RowByRowController], providers: [CatalogWriter, CategoryTree, ReviewReader] })
export class RowByRowModule {}
