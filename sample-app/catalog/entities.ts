import { Column, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, type Relation } from 'typeorm';

@Entity()
export class Artist {
  @PrimaryColumn()
  id!: number;

  @Column()
  name!: string;

  @OneToMany(
    () => Album,
    (album) => album.artist,
  )
  albums!: Relation<Album>[];
}

@Entity()
export class Album {
  @PrimaryColumn()
  id!: number;

  @Column()
  title!: string;

  @Column()
  price!: number;

  @ManyToOne(
    () => Artist,
    (artist) => artist.albums,
  )
  @JoinColumn({ name: 'artist_id' })
  artist!: Relation<Artist>;

  /** Lazy: loaded on first access, with one query per album. */
  @OneToMany(
    () => Track,
    (track) => track.album,
  )
  tracks!: Promise<Track[]>;
}

@Entity()
export class Track {
  @PrimaryColumn()
  id!: number;

  @Column()
  title!: string;

  @Column()
  seconds!: number;

  @ManyToOne(
    () => Album,
    (album) => album.tracks,
  )
  @JoinColumn({ name: 'album_id' })
  album!: Promise<Album>;
}
