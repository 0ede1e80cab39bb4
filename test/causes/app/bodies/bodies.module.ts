import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { ImportService } from './import.service';

/** Created once: the case is about the response. */
const ROWS = Array.from({ length: 300_000 }, (_, n) => ({
  id: n,
  title: `Book ${n}`,
  tags: ['used', 'paper'],
}));

/** Large bodies of requests and responses. */
@Controller('bodies')
class BodiesController {
  constructor(private readonly imports: ImportService) {}

  @Get('parse')
  parse(): Promise<number> {
    return this.imports.rowsOfUpstream();
  }

  /** The framework turns it into JSON. */
  @Get('answer')
  answer(): unknown {
    return ROWS;
  }

  /** The framework parses it. */
  @Post('receive')
  receive(@Body() rows: unknown[]): number {
    return rows.length;
  }
}

@Module({ controllers: [BodiesController], providers: [ImportService] })
export class BodiesModule {}
