import { basename } from 'node:path';
import type { CallSite } from '../code/call-site.js';

/** The longest piece of a statement that is quoted. */
const MAX_CONDITION = 100;

/** Milliseconds for people. */
export function ms(value: number): string {
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} ms`;
}

/** A share, 0 to 1, for people. */
export function wholePercent(share: number): string {
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
  const plain = withoutDoubles(untilClosed(condition)).replace(/(["`])(\w+)\1/g, '$2');
  return `${name} WHERE ${plain.length > MAX_CONDITION ? `${plain.slice(0, MAX_CONDITION - 1)}…` : plain}`;
}

/** A condition up to the end of the statement, or up to the parenthesis that closes the subquery around it. */
function untilClosed(condition: string): string {
  let depth = 0;
  for (let i = 0; i < condition.length; i++) {
    if (condition[i] === '(') depth++;
    else if (condition[i] === ';' || (condition[i] === ')' && --depth < 0)) return condition.slice(0, i);
  }
  return condition;
}

/** ORMs put parentheses around parentheses: `((a = ?))` becomes `(a = ?)`. */
function withoutDoubles(condition: string): string {
  const closedBy = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < condition.length; i++) {
    if (condition[i] === '(') open.push(i);
    else if (condition[i] === ')') closedBy.set(open.pop() ?? -1, i);
  }
  const dropped = new Set<number>();
  for (const [from, to] of closedBy)
    if (condition[from + 1] === '(' && closedBy.get(from + 1) === to - 1) dropped.add(from).add(to);
  return dropped.size === 0
    ? condition
    : condition
        .split('')
        .filter((_, i) => !dropped.has(i))
        .join('');
}

/** `3 calls`, `1 call` */
export function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
