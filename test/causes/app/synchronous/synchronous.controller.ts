import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { ArchiveService } from './archive.service';
import { PasswordGuard } from './password.guard';
import { ShelfSorter } from './shelf.sorter';

/** Created once: the cases are about the work with them. */
const ROWS = Array.from({ length: 200_000 }, (_, n) => ({
  id: n,
  title: `Book ${(n * 7919) % 60_013}`,
}));

/** The event loop is busy with synchronous work. */
@Controller('synchronous')
export class SynchronousController {
  constructor(
    private readonly archive: ArchiveService,
    private readonly sorter: ShelfSorter,
    private readonly events: EventEmitter2,
  ) {}

  @Get('gzip')
  gzip(): number {
    return this.archive.zip();
  }

  @Get('files')
  files(): number {
    return this.archive.lengths(24_000);
  }

  @Get('other-process')
  otherProcess(): string {
    return this.archive.inOtherProcess();
  }

  @Get('clone')
  clone(): number {
    return this.archive.copyAll(ROWS).length;
  }

  @Get('sort')
  sort(): number {
    return this.sorter.sorted(ROWS.slice(0, 2000)).length;
  }

  @Get('text')
  text(): number {
    return this.sorter.labels(ROWS.slice(0, 6500));
  }

  @Get('find-in-loop')
  findInLoop(): number {
    return this.sorter.joined(ROWS.slice(0, 16_000));
  }

  @Get('formats')
  formats(): number {
    return this.sorter.prices(ROWS.slice(0, 14_000)).length;
  }

  @Get('guard')
  @UseGuards(PasswordGuard)
  guard(): string {
    return 'known';
  }

  @Post('listener')
  listener(): boolean {
    return this.events.emit('order.placed', 'order 1');
  }
}
