import { readFileSync } from 'node:fs';

/** A user of the operating system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Preferred accounts: the dedicated one, then the unprivileged ones that every system has. */
const NAMES = ['postgres', 'nobody', 'daemon'];

/** The accounts that Postgres can run as, in order of preference. `undefined` is the account of this process. */
export function accounts(): (Account | undefined)[] {
  // Postgres refuses to run as root, the default account in containers.
  return process.getuid?.() === 0 ? unprivilegedAccounts(readFileSync('/etc/passwd', 'utf8')) : [undefined];
}

/** @param passwd the content of `/etc/passwd` */
export function unprivilegedAccounts(passwd: string): Account[] {
  const lines = passwd.split('\n').map((line) => line.split(':'));
  return NAMES.flatMap((wanted) => {
    const [, , uid, gid] = lines.find(([name]) => name === wanted) ?? [];
    return Number(uid) > 0 ? [{ uid: Number(uid), gid: Number(gid) }] : [];
  });
}
