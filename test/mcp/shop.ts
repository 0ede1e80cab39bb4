import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, Injectable, Param } from '@nestjs/common';
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

/** A shop with an N+1 and a fast route. */
@Controller('albums')
export class AlbumsController {
  constructor(private readonly albums: AlbumsService) {}

  @Get('with-tracks')
  async withTracks(): Promise<string> {
    await this.albums.withTracks(30);
    return 'albums';
  }

  @Get(':id')
  one(@Param('id') id: string): string {
    return id;
  }
}
