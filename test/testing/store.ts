import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Controller, Get, Inject, Injectable, Module, Param } from '@nestjs/common';
import pg from 'pg';
import { TrackPerformance } from '../../lib/index.js';
import { startApplication, type TestApplication } from '../support/application.js';

/** Prevents the compilation of `import()` to `require()`. */
const COMPILER_OPTIONS = { module: 'node16', moduleResolution: 'node16', rootDir: join(__dirname, '../..') };

const SCHEMA = `
  create table album (id int primary key, title text not null);
  create table track (id int primary key, album_id int not null, title text not null);
  insert into album select i, 'album ' || i from generate_series(1, 5) i;
  insert into track select i, 1 + i % 5, 'track ' || i from generate_series(1, 20) i;
`;

type Album = { id: number; title: string; tracks?: unknown[] };

@Injectable()
export class AlbumsService {
  constructor(@Inject(pg.Pool) private readonly pool: pg.Pool) {}

  async list(): Promise<Album[]> {
    return (await this.pool.query<Album>('select id, title from album order by id')).rows;
  }

  /** An N+1. */
  async withTracks(): Promise<Album[]> {
    const albums = await this.list();
    for (const album of albums) album.tracks = await this.tracksOf(album.id);
    return albums;
  }

  /** The same data in one query per table. */
  async fewQueries(): Promise<unknown> {
    await this.list();
    return (await this.pool.query('select * from track')).rows;
  }

  /** The same N+1 in parallel. */
  async withTracksAtOnce(): Promise<Album[]> {
    const albums = await this.list();
    await Promise.all(albums.map(async (album) => (album.tracks = await this.tracksOf(album.id))));
    return albums;
  }

  async tracksOf(id: number): Promise<unknown[]> {
    return (await this.pool.query('select * from track where album_id = $1', [id])).rows;
  }

  async countTwice(): Promise<void> {
    await this.pool.query('select count(*) from album');
    await this.pool.query('select count(*) from album');
  }

  async loop(): Promise<void> {
    for (const id of [1, 2, 3]) await this.pool.query('select title from album where id = $1', [id]);
  }

  /** Two transactions, one of them without a statement. */
  async inTransactions(): Promise<void> {
    const client = await this.pool.connect();
    try {
      for (const title of ['begin', 'commit', 'begin']) await client.query(title);
      await client.query('select 1');
      await client.query('select 1');
      await client.query('insert into track values (1000, 1, $1)', ['new']);
      await client.query('rollback');
    } finally {
      client.release();
    }
  }

  /** Succeeds at the third attempt. */
  async retried(): Promise<unknown> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.pool.query('select 1 / greatest(0, $1 - 2) from album limit 1', [attempt]);
      } catch (error) {
        if (attempt === 3) throw error;
      }
  }

  @TrackPerformance('calculation', 20)
  async calculate(ms: number): Promise<void> {
    await this.list();
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

@Controller()
class AlbumsController {
  constructor(@Inject(AlbumsService) private readonly albums: AlbumsService) {}

  @Get('albums')
  list(): Promise<unknown> {
    return this.albums.list();
  }

  @Get('albums/with-tracks/:how')
  withTracks(@Param('how') how: 'withTracks' | 'withTracksAtOnce' | 'fewQueries'): Promise<unknown> {
    return this.albums[how]();
  }

  @Get('albums/:id/tracks')
  tracks(@Param('id') id: string): Promise<unknown> {
    return this.albums.tracksOf(Number(id));
  }

  @Get('calculate/:ms')
  calculate(@Param('ms') ms: string): Promise<void> {
    return this.albums.calculate(Number(ms));
  }

  @Get('do/:what')
  do(@Param('what') what: 'countTwice' | 'inTransactions' | 'loop' | 'retried'): Promise<unknown> {
    return this.albums[what]();
  }

  @Get('static')
  static(): string {
    return 'nothing of the database';
  }
}

/** An application with a temporary Postgres. */
export interface Store extends TestApplication {
  albums: AlbumsService;
  get(path: string): Promise<number>;
  close(): Promise<void>;
}

export async function openStore(): Promise<Store> {
  const postgres = fork(join(__dirname, 'postgres.ts'), {
    execArgv: ['--require', 'ts-node/register/transpile-only'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, TS_NODE_COMPILER_OPTIONS: JSON.stringify(COMPILER_OPTIONS) },
  });
  const [connectionString] = (await Promise.race([
    once(postgres, 'message'),
    once(postgres, 'exit').then(([code]) => Promise.reject(new Error(`Postgres ended with ${code}`))),
  ])) as [string];
  const pool = new pg.Pool({ connectionString, max: 2 });
  await pool.query(SCHEMA);
  class DatabaseModule {}
  Module({ providers: [{ provide: pg.Pool, useValue: pool }], exports: [pg.Pool] })(DatabaseModule);
  const application = await startApplication('express', {
    controllers: [AlbumsController],
    imports: [DatabaseModule],
    providers: [AlbumsService],
  });
  return {
    ...application,
    albums: application.app.get(AlbumsService),
    async get(path) {
      const response = await fetch(application.url + path);
      await response.arrayBuffer();
      return response.status;
    },
    async close() {
      await application.app.close();
      await pool.end();
      const exited = once(postgres, 'exit');
      postgres.disconnect();
      await exited;
    },
  };
}
