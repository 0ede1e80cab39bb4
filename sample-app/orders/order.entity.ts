import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ name: 'customer_id' })
  customerId!: number;

  @Column({ name: 'album_id' })
  albumId!: number;

  @Column()
  quantity!: number;

  @CreateDateColumn({ name: 'placed_at' })
  placedAt!: Date;
}
