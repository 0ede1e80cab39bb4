import { Injectable } from '@nestjs/common';
import postgres from 'postgres';

@Injectable()
export class PostgresJs {
  readonly sql = postgres(process.env['DATABASE_URL'] ?? '', { max: 5 });
}
