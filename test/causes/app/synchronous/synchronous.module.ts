import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ArchiveService } from './archive.service';
import { OrderListener } from './order.listener';
import { ShelfSorter } from './shelf.sorter';
import { SynchronousController } from './synchronous.controller';

@Module({
  imports: [EventEmitterModule.forRoot()],
  controllers: [SynchronousController],
  providers: [ArchiveService, OrderListener, ShelfSorter],
})
export class SynchronousModule {}
