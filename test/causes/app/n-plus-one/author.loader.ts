import { Injectable } from '@nestjs/common';
import DataLoader from 'dataloader';
import { Pool } from 'pg';

@Injectable()
export class AuthorLoader {
  constructor(private readonly pool: Pool) {}

  /** Awaits each before loading the next, so that each batch contains only one. */
  async namesOf(ids: number[]): Promise<string[]> {
    const loader = new DataLoader<number, string>((batch) => this.load(batch));
    const names: string[] = [];
    for (const id of ids) names.push(await loader.load(id)); // call site: dataloader
    return names;
  }

  private async load(ids: readonly number[]): Promise<string[]> {
    const { rows } = await this.pool.query('SELECT id, name FROM author WHERE id = ANY($1)', [ids]); // call site: dataloader
    const names = new Map(rows.map(({ id, name }) => [id as number, name as string]));
    return ids.map((id) => names.get(id) ?? '');
  }
}
