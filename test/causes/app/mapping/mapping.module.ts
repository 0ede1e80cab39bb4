import { Module } from '@nestjs/common';
import { MappingController } from './mapping.controller';
import { OfferReader } from './offer.reader';

@Module({ controllers: [MappingController], providers: [OfferReader] })
export class MappingModule {}
