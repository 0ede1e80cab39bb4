import { Column, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, type Relation } from 'typeorm';

@Entity()
export class Author {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  name!: string;

  @OneToMany(
    () => Book,
    (book) => book.author,
  )
  books!: Relation<Book>[];
}

@Entity()
export class Book {
  @PrimaryColumn('int')
  id!: number;

  @Column('text')
  title!: string;

  @Column('int')
  price!: number;

  @Column('int', { name: 'author_id' })
  authorId!: number;

  @ManyToOne(
    () => Author,
    (author) => author.books,
  )
  @JoinColumn({ name: 'author_id' })
  author!: Relation<Author>;

  /** Loaded lazily. */
  @OneToMany(
    () => Review,
    (review) => review.book,
  )
  reviews!: Promise<Review[]>;
}

@Entity()
export class Review {
  @PrimaryColumn('int')
  id!: number;

  @Column('int')
  stars!: number;

  @ManyToOne(
    () => Book,
    (book) => book.reviews,
  )
  @JoinColumn({ name: 'book_id' })
  book!: Promise<Book>;
}

@Entity()
export class Stock {
  @PrimaryColumn('int', { name: 'book_id' })
  bookId!: number;

  @Column('int')
  amount!: number;
}
