import { Module } from '@nestjs/common';
import { BookFinder } from './book.finder';
import { DriversController } from './drivers.controller';
import { RateClient } from './rate.client';
import { ShelfReader } from './shelf.reader';

@Module({ controllers: [DriversController], providers: [BookFinder, RateClient, ShelfReader] })
export class DriversModule {}
