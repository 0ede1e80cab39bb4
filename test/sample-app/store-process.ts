import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const MAIN = join(__dirname, '../../sample-app/dist/main.js');

/** The built sample application as a process. */
export class StoreProcess {
  private text = '';

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        this.text += piece;
      });
  }

  /** @param main its compiled main file */
  static open(
    env: Record<string, string>,
    args: string[] = [],
    options: SpawnOptions = {},
    main = MAIN,
  ): StoreProcess {
    const child = spawn(process.execPath, [main, ...args], {
      ...options,
      env: { ...process.env, NODE_ENV: '', NO_COLOR: '1', ...env },
    });
    return new StoreProcess(child);
  }

  get output(): string {
    return this.text;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** The address that it prints. */
  address(): Promise<string> {
    return until(() => {
      const address = /runs at (http:\S+)/.exec(this.text)?.[1];
      if (address === undefined && this.hasEnded) throw new Error(`The store ended: ${this.text}`);
      return address;
    }, 'the address of the store');
  }

  /** Its exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    if (!this.hasEnded) await once(this.child, 'exit');
    return this.child.exitCode ?? this.child.signalCode ?? 0;
  }

  async close(): Promise<number | string> {
    if (!this.hasEnded) this.child.kill('SIGTERM');
    return this.ended();
  }
}

/** Polls until `read` returns a value. @throws Error after 40 seconds */
export async function until<T>(read: () => Promise<T | undefined> | T | undefined, what: string): Promise<T> {
  const end = Date.now() + 40_000;
  for (;;) {
    const answer = await read();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`Timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
