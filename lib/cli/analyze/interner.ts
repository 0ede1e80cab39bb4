import type { WorkKey } from '../../spans/work-group.js';

/** Beyond as many different ones they are forgotten, and kept anew. */
const CAPACITY = 20_000;

/** Makes one of what is equal: statements and routes come again in most requests. */
export class Interner {
  private readonly keys = new Map<string, WorkKey>();
  private readonly names = new Map<string, string>();

  key(key: WorkKey): WorkKey {
    const known = this.keys.get(key.fingerprint);
    if (known !== undefined) return known;
    if (this.keys.size >= CAPACITY) this.keys.clear();
    this.keys.set(key.fingerprint, key);
    return key;
  }

  name(name: string): string {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    if (this.names.size >= CAPACITY) this.names.clear();
    this.names.set(name, name);
    return name;
  }
}
