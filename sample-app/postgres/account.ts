import { readFileSync } from 'node:fs';

/** A user of this system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** In this order: the one that is meant for it, then those that every system has for what needs no rights. */
const NAMES = ['postgres', 'nobody', 'daemon'];

/** The accounts that Postgres can run as, the best first. `undefined` stands for the process's own. */
export function accounts(): (Account | undefined)[] {
  // Postgres refuses to run as root, as containers often do.
  return process.getuid?.() === 0 ? unprivilegedAccounts(readFileSync('/etc/passwd', 'utf8')) : [undefined];
}

/** @param passwd the text of `/etc/passwd` */
export function unprivilegedAccounts(passwd: string): Account[] {
  const lines = passwd.split('\n').map((line) => line.split(':'));
  return NAMES.flatMap((wanted) => {
    const [, , uid, gid] = lines.find(([name]) => name === wanted) ?? [];
    return Number(uid) > 0 ? [{ uid: Number(uid), gid: Number(gid) }] : [];
  });
}
