import { Injectable } from '@nestjs/common';

interface Row {
  id: number;
  title: string;
}

const EURO = { style: 'currency', currency: 'EUR' } as const;

/** Code that is fast for few rows. */
@Injectable()
export class ShelfSorter {
  sorted(rows: Row[]): Row[] {
    return rows.toSorted((a, b) => a.title.localeCompare(b.title, 'de', { numeric: true })); // call site: sort
  }

  /** Searches the text that it appends to. */
  labels(rows: Row[]): number {
    let text = '';
    for (const { title } of rows) if (!text.includes(title)) text += `${title};`; // call site: text
    return text.length;
  }

  /** Searches all rows for each row. */
  joined(rows: Row[]): number {
    let found = 0;
    for (const { id } of rows) if (rows.some((row) => row.id === id + 1)) found++; // call site: find-in-loop
    return found;
  }

  /** Creates a format for each row. */
  prices(rows: Row[]): string[] {
    return rows.map(({ id }) => new Intl.NumberFormat('de', EURO).format(id)); // call site: formats
  }
}
