import { basename } from 'node:path';
import type { CallSite } from '../code/call-site.js';

/** The longest piece of a statement that is quoted. */
const MAX_CONDITION = 100;

/** Milliseconds for people. */
export function ms(value: number): string {
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} ms`;
}

/** A share, 0 to 1, for people. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `AlbumsService.withTracks (albums.service.ts:42)` */
export function place({ function: name, file, line }: CallSite): string {
  return `${name} (${basename(file)}:${line})`;
}

/** A statement in short: its name and its condition, `SELECT track WHERE album_id = ?`. Any other work is its name. */
export function brief(name: string, fingerprint: string): string {
  const condition = /\bwhere (.*?)(?: (?:group by|order by|limit|for update|returning)\b.*)?$/s.exec(
    fingerprint,
  )?.[1];
  if (condition === undefined || !/^[A-Z]+ \S/.test(name) || name === fingerprint) return name;
  const plain = condition.replace(/"(\w+)"/g, '$1');
  return `${name} WHERE ${plain.length > MAX_CONDITION ? `${plain.slice(0, MAX_CONDITION - 1)}…` : plain}`;
}

/** `3 calls`, `1 call` */
export function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
