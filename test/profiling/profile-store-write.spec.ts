import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProfileStore } from '../../lib/profiling/profile-store.js';
import { canMount, chunks, profile, StoreFixture } from './profile-store-fixture.js';

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture.remove());

function write(
  store: ProfileStore,
  content: Parameters<ProfileStore['write']>[1] = '{}',
  signal?: AbortSignal,
) {
  return store.write(profile(store.newId()), content, signal);
}

// biome-ignore lint/correctness/useYield: it fails before
async function* full(): AsyncGenerator<string> {
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

/** Content that is sent on command, and knows whether it was closed. */
function held() {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const state = { begun: false, ended: false };
  async function* content(): AsyncGenerator<string> {
    state.begun = true;
    try {
      await released;
      yield '{}';
    } finally {
      state.ended = true;
    }
  }
  return { content: content(), release, state };
}

/** Content of which one chunk comes and then nothing more; resolves when that was asked for. */
function hanging() {
  let hang = (): void => {};
  const hangs = new Promise<void>((resolve) => {
    hang = resolve;
  });
  async function* content(): AsyncGenerator<string> {
    yield '{';
    hang();
    await new Promise(() => {});
  }
  return { content: content(), hangs };
}

describe('a write that fails', () => {
  it('is logged once, until one succeeds', async () => {
    const store = fixture.store();
    for (let i = 0; i < 3; i++) expect(await write(store, full())).toBeUndefined();
    expect(fixture.warnings).toEqual([expect.stringMatching(/^Profiles cannot be stored in \S+: .*ENOSPC/)]);
    expect(store.failure).toBe(fixture.warnings[0]);
    expect(fixture.names()).toEqual([]);
    expect(await write(store)).toBeDefined();
    expect(store.failure).toBeUndefined();
    await write(store, full());
    expect(fixture.warnings).toHaveLength(2);
  });

  it('does not reject if no directory can be created', async () => {
    writeFileSync(join(fixture.root, 'file'), '');
    const store = fixture.store({ directory: join(fixture.root, 'file/a/profiles') });
    const stream = Readable.from(['{}']);
    expect(await write(store, stream)).toBeUndefined();
    expect(await write(store)).toBeUndefined();
    expect(fixture.warnings).toEqual([expect.stringContaining('ENOTDIR')]);
    expect(await store.list()).toEqual([]);
    expect(stream.destroyed).toBe(true);
    rmSync(join(fixture.root, 'file'));
    expect(await write(store)).toBeDefined();
  });

  it('leaves nothing if the content fails midway', async () => {
    const store = fixture.store();
    async function* content(): AsyncGenerator<string> {
      yield 'x'.repeat(1000);
      throw new Error('the session is closed');
    }
    expect(await write(store, content())).toBeUndefined();
    expect(store.failure).toContain('the session is closed');
    expect(fixture.names()).toEqual([]);
  });

  it('leaves nothing if its description cannot be written', async () => {
    const store = fixture.store();
    const id = store.newId();
    mkdirSync(join(fixture.directory, `${id}.json`), { recursive: true, mode: 0o700 });
    expect(await store.write(profile(id), '{}')).toBeUndefined();
    expect(fixture.names()).toEqual([`${id}.json`]);
  });

  it('does not end the process if a stream fails while it waits', async () => {
    const store = fixture.store();
    const { content, release } = held();
    const first = write(store, content);
    const stream = new Readable({ read() {} });
    const second = write(store, stream);
    stream.destroy(new Error('the session is closed'));
    await new Promise((resolve) => setImmediate(resolve));
    release();
    expect(await first).toBeDefined();
    expect(await second).toBeUndefined();
    expect(store.failure).toContain('the session is closed');
  });
});

(canMount() ? describe : describe.skip)('a full disk', () => {
  beforeEach(() => {
    mkdirSync(fixture.directory);
    fixture.mount(fixture.directory, '-t', 'tmpfs', '-o', 'size=64k', 'none');
  });

  it.each(['whole', 'in chunks'])('is logged once and leaves no partial file, written %s', async (how) => {
    const store = fixture.store();
    const part = 'x'.repeat(50_000);
    expect(await write(store, 'small')).toBeDefined();
    const before = fixture.names();
    for (let i = 0; i < 2; i++)
      expect(await write(store, how === 'whole' ? part + part : chunks(part, part))).toBeUndefined();
    expect(fixture.names()).toEqual(before);
    expect(fixture.warnings).toEqual([expect.stringContaining('ENOSPC')]);
    expect(await write(store, 'small')).toBeDefined();
    expect(await store.list()).toHaveLength(2);
  });
});

describe('a profile that exceeds the limit', () => {
  it.each([
    ['text', () => 'x'.repeat(2001)],
    ['bytes', () => Buffer.alloc(2001)],
    ['chunks', () => chunks('x'.repeat(2000), 'x')],
  ])('is refused as %s, and evicts none', async (_kind, content) => {
    const store = fixture.store({ maxBytes: 2000 });
    const kept = await write(store);
    for (let i = 0; i < 2; i++) expect(await write(store, content())).toBeUndefined();
    expect(fixture.warnings).toEqual([expect.stringContaining('exceeds the limit of')]);
    expect(await store.list()).toEqual([kept]);
    expect(fixture.names()).toHaveLength(2);
  });

  it('is not read to its end, and its source is closed', async () => {
    const store = fixture.store({ maxBytes: 2000 });
    let read = 0;
    let ended = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          read++;
          yield Buffer.alloc(1000);
        }
      } finally {
        ended = true;
      }
    }
    // One that can be iterated again and again must have this iteration ended.
    expect(await write(store, { [Symbol.asyncIterator]: endless })).toBeUndefined();
    expect([read, ended]).toEqual([2, true]);
  });

  it('includes its description', async () => {
    const store = fixture.store({ maxBytes: 2000 });
    expect(await write(store, 'x'.repeat(1990))).toBeUndefined();
    expect(await write(store, 'x'.repeat(1700))).toBeDefined();
  });
});

describe('an aborted write', () => {
  it('leaves nothing and rejects with the reason, even if the source hangs', async () => {
    const store = fixture.store();
    const { content, hangs } = hanging();
    const abort = new AbortController();
    const written = write(store, content, abort.signal);
    await hangs;
    expect(fixture.names()).toEqual([
      expect.stringMatching(new RegExp(`\\.cpuprofile\\.${process.pid}\\.tmp$`)),
    ]);
    const reason = new Error('the application stops');
    abort.abort(reason);
    await expect(written).rejects.toBe(reason);
    expect(fixture.names()).toEqual([]);
    expect(fixture.warnings).toEqual([]);
    expect(store.failure).toBeUndefined();
    expect(await write(store)).toBeDefined();
  });

  it('destroys a stream that hangs', async () => {
    const store = fixture.store();
    const abort = new AbortController();
    const reason = new Error('the application stops');
    const stream = new Readable({
      read() {
        setImmediate(() => abort.abort(reason));
      },
    });
    await expect(write(store, stream, abort.signal)).rejects.toBe(reason);
    expect(stream.destroyed).toBe(true);
  });

  it('is not started if it was aborted before', async () => {
    const store = fixture.store();
    const stream = Readable.from(['{}']);
    const reason = new Error('the application stops');
    await expect(write(store, stream, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(stream.destroyed).toBe(true);
    expect(() => fixture.names()).toThrow('ENOENT');
  });

  it('is completed if the signal comes too late', async () => {
    const store = fixture.store();
    const abort = new AbortController();
    const info = await write(store, chunks('{', '}'), abort.signal);
    abort.abort();
    expect(await store.list()).toEqual([info]);
  });
});

describe('the queue', () => {
  it('holds 16 waiting profiles, and drops more with one warning', async () => {
    const store = fixture.store();
    const { content, release } = held();
    const written = [write(store, content), ...Array.from({ length: 16 }, () => write(store, chunks('{}')))];
    const stream = Readable.from(['{}']);
    expect(await write(store, stream)).toBeUndefined();
    expect(await write(store)).toBeUndefined();
    expect(stream.destroyed).toBe(true);
    expect(fixture.warnings).toEqual([
      expect.stringContaining('16 profiles are already waiting to be written'),
    ]);
    expect(store.failure).toBe(fixture.warnings[0]);
    release();
    await store.flush();
    expect((await Promise.all(written)).every((info) => info !== undefined)).toBe(true);
    expect(await store.list()).toHaveLength(17);
    expect(await write(store)).toBeDefined();
  });

  it('writes one at a time, in order', async () => {
    const store = fixture.store();
    const [first, second] = [held(), held()];
    const written = [write(store, first.content), write(store, second.content)];
    second.release();
    while (!first.state.begun) await new Promise((resolve) => setImmediate(resolve));
    expect(second.state.begun).toBe(false);
    first.release();
    await Promise.all(written);
    expect(second.state.ended).toBe(true);
  });

  it('is flushed when all are written, failed or aborted', async () => {
    const store = fixture.store();
    const abort = new AbortController();
    abort.abort();
    const settled: unknown[] = [];
    for (const content of ['{}', full(), chunks('{}')])
      void write(store, content).then((info) => settled.push(info));
    write(store, '{}', abort.signal).catch((reason) => settled.push(reason));
    await store.flush();
    expect(settled).toEqual([expect.anything(), undefined, expect.anything(), abort.signal.reason]);
    expect(await fixture.store().flush()).toBeUndefined();
  });
});
