import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Fills an empty database: the same rows each time, made by Postgres itself from their numbers. */
@Injectable()
export class Seed implements OnModuleInit {
  private readonly logger = new Logger('Seed');

  constructor(private readonly database: DataSource) {}

  async onModuleInit(): Promise<void> {
    const [{ count }] = (await this.database.query('SELECT count(*)::int AS count FROM artist')) as [
      { count: number },
    ];
    if (count > 0) return;
    for (const statement of STATEMENTS) await this.database.query(statement);
    this.logger.log('300 artists, 1500 albums, 15000 tracks and 8000 orders are in stock');
  }
}

const STATEMENTS = [
  `INSERT INTO artist (id, name) SELECT n, 'Artist ' || n FROM generate_series(1, 300) n`,
  `INSERT INTO album (id, title, price, artist_id)
   SELECT n, (ARRAY['Blue','Night','Electric','Quiet','Golden'])[1 + n % 5] || ' ' ||
          (ARRAY['Sessions','Hours','Rooms','Letters'])[1 + n % 4] || ' ' || n, 5 + (n * 7919) % 20, 1 + (n * 31) % 300
   FROM generate_series(1, 1500) n`,
  `INSERT INTO track (id, title, seconds, album_id)
   SELECT n, 'Track ' || n || ' ' || md5(n::text), 90 + (n * 6133) % 300, 1 + (n - 1) / 10 FROM generate_series(1, 15000) n`,
  `INSERT INTO "order" (id, customer_id, album_id, quantity, placed_at)
   SELECT n, 1 + (n * 17) % 1000, 1 + (n * 7121) % 1500, 1 + n % 3, now() - n * interval '7 minutes'
   FROM generate_series(1, 8000) n`,
  `SELECT setval(pg_get_serial_sequence('"order"', 'id'), 8000)`,
  'ANALYZE',
];
