import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Cache } from 'cache-manager';
import { TrackPerformance } from 'nestjs-performance';
import { Repository } from 'typeorm';
import { Album, Track } from './entities';

const PAGE = 50;

@Injectable()
export class CatalogService {
  constructor(
    @InjectRepository(Album) private readonly albums: Repository<Album>,
    @InjectRepository(Track) private readonly tracks: Repository<Track>,
    @Inject(CACHE_MANAGER) private readonly cache: Cache,
  ) {}

  /** A page of albums, in one query. */
  list(page: number): Promise<Album[]> {
    return this.albums.find({
      relations: { artist: true },
      order: { id: 'ASC' },
      skip: page * PAGE,
      take: PAGE,
    });
  }

  /** A page of albums with their tracks: one query for the page and one per album (N+1). */
  @TrackPerformance()
  async withTracks(page: number): Promise<{ title: string; minutes: number }[]> {
    const albums = await this.list(page);
    const result: { title: string; minutes: number }[] = [];
    for (const album of albums) {
      const tracks = await album.tracks;
      result.push({
        title: album.title,
        minutes: tracks.reduce((sum, { seconds }) => sum + seconds, 0) / 60,
      });
    }
    return result;
  }

  /** One album. Cached after the first call. */
  async find(id: number): Promise<Album> {
    const key = `album:${id}`;
    const cached = await this.cache.get<Album>(key);
    if (cached !== undefined && cached !== null) return cached;
    const album = await this.albums.findOne({ where: { id }, relations: { artist: true } });
    if (album === null) throw new NotFoundException();
    await this.cache.set(key, album, 60_000);
    return album;
  }

  /** Tracks by a part of their title: no index applies, and the ranking is expensive. */
  search(text: string): Promise<unknown[]> {
    return this.tracks.query(
      `SELECT t.id, t.title, count(*) AS alike FROM track t JOIN track o
         ON o.seconds = t.seconds AND o.title ILIKE '%' || $1 || '%' AND md5(o.title || t.title) LIKE 'a%'
       WHERE t.title ILIKE '%' || $1 || '%' GROUP BY t.id, t.title ORDER BY alike DESC LIMIT 20`,
      [text],
    );
  }
}
