import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, Injectable, Logger, Param } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';

/** Runs a statement as an instrumented driver does. */
export function statement(text: string, ms = 1): Promise<void> {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
  return trace
    .getTracer('driver')
    .startActiveSpan('query', { kind: SpanKind.CLIENT, attributes }, async (span) => {
      await pause(ms);
      span.end();
    });
}

@Injectable()
export class AlbumsService {
  async withTracks(count: number): Promise<void> {
    await statement('SELECT id, title FROM album');
    for (let id = 0; id < count; id++) await statement(`SELECT * FROM track WHERE album_id = ${4711 + id}`);
  }
}

/** A shop with an N+1, a route that fails and a fast one. */
@Controller('albums')
export class AlbumsController {
  private readonly logger = new Logger('Albums');

  constructor(private readonly albums: AlbumsService) {}

  @Get('with-tracks')
  async withTracks(): Promise<string> {
    this.logger.warn('`[loads]` with token=sesame');
    await this.albums.withTracks(30);
    return 'albums';
  }

  @Get('failing')
  failing(): string {
    this.logger.error('no such album');
    throw new TypeError('album is undefined');
  }

  @Get(':id')
  one(@Param('id') id: string): string {
    return id;
  }
}
