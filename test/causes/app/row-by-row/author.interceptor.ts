import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Pool } from 'pg';
import { mergeMap, type Observable } from 'rxjs';

interface Row {
  authorId: number;
}

/** Completes the rows of a response. */
@Injectable()
export class AuthorInterceptor implements NestInterceptor {
  constructor(private readonly pool: Pool) {}

  intercept(_context: ExecutionContext, next: CallHandler<Row[]>): Observable<unknown> {
    return next.handle().pipe(mergeMap((rows) => this.withAuthors(rows)));
  }

  private async withAuthors(rows: Row[]): Promise<unknown[]> {
    const complete: unknown[] = [];
    for (const row of rows) {
      const { rows } = await this.pool.query('SELECT name FROM author WHERE id = $1', [row.authorId]); // call site: interceptor
      complete.push({ ...row, author: rows[0].name });
    }
    return complete;
  }
}
