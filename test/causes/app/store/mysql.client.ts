import { Injectable } from '@nestjs/common';
import { createPool } from 'mysql2/promise';

@Injectable()
export class Mysql {
  readonly pool = createPool({
    host: '127.0.0.1',
    port: Number(process.env['MYSQL_PORT']),
    user: 'store',
    database: 'store',
    connectionLimit: 5,
  });
}
