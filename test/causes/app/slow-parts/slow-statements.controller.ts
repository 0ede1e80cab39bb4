import { Controller, Get, Post } from '@nestjs/common';
import { StatementService } from './statement.service';

/** A request waits for one slow statement. */
@Controller('slow-statements')
export class SlowStatementsController {
  constructor(private readonly statements: StatementService) {}

  @Get('recorded')
  recorded(): Promise<void> {
    return this.statements.recorded();
  }

  @Post('recorded-twice')
  recordedTwice(): Promise<void> {
    return this.statements.recordedTwice();
  }

  @Get('postgres-js')
  postgresJs(): Promise<unknown> {
    return this.statements.byPostgresJs();
  }

  @Post('mysql')
  mysql(): Promise<unknown> {
    return this.statements.byMysql();
  }

  @Get('builder')
  builder(): Promise<unknown> {
    return this.statements.byBuilder();
  }

  @Post('advisory-lock')
  advisoryLock(): Promise<unknown> {
    return this.statements.withAdvisoryLock();
  }

  @Get('cancelled')
  cancelled(): Promise<unknown> {
    return this.statements.cancelled();
  }

  @Get('side-by-side')
  async sideBySide(): Promise<string> {
    await this.statements.sideBySide();
    return 'reported';
  }
}
