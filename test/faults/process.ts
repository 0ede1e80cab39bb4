import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { plainEnvironment, ROOT } from '../support/child-app.js';

/** A message of a program: each line of its standard output is an object in JSON. */
export type Message = Record<string, unknown>;

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Milliseconds from the message `ready`, or from the start without one, until the end. */
  readonly ms: number;
  readonly messages: readonly Message[];
  readonly stderr: string;
}

/** A program of `programs/` in a process of plain Node, with the package as it is built. */
export class FaultProcess {
  readonly messages: Message[] = [];
  readonly ended: Promise<End>;
  readonly child: ChildProcess;
  private stderr = '';
  private since = performance.now();
  private readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-faults-'));
  private readonly waiting: { name: string; resolve(message: Message): void }[] = [];

  /**
   * @param command runs the program within another one: `['sh', '-c', 'ulimit …; exec "$0" "$@"']`
   */
  constructor(
    program: string,
    argv: readonly string[] = [],
    {
      env = {},
      execArgv = [],
      command = [],
    }: { env?: NodeJS.ProcessEnv; execArgv?: readonly string[]; command?: readonly string[] } = {},
  ) {
    const line = [
      ...command,
      process.execPath,
      ...execArgv,
      join(__dirname, 'programs', program),
      ...argv,
    ] as [string, ...string[]];
    this.child = spawn(line[0], line.slice(1), {
      env: { ...plainEnvironment(), BUILT: join(ROOT, 'dist/esm'), FOLDER: this.folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (text) => {
      this.stderr += String(text);
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (text) =>
      this.receive(text),
    );
    this.ended = this.end();
    this.ended.catch(() => {});
  }

  /** The first message with a member of this name. Rejects if the process ends without it. */
  async message(name: string): Promise<Message> {
    const found = this.messages.find((message) => name in message);
    if (found !== undefined) return found;
    const arrives = new Promise<Message>((resolve) => this.waiting.push({ name, resolve }));
    const fails = this.ended.then(({ code, signal, stderr }) => {
      throw new Error(
        `ended with ${code ?? signal} before ${name}: ${stderr}${JSON.stringify(this.messages)}`,
      );
    });
    fails.catch(() => {});
    return Promise.race([arrives, fails]);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends the process, if it has not ended, and removes its folder. */
  async remove(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended.catch(() => {});
    rmSync(this.folder, { recursive: true, force: true });
  }

  private receive(text: string): void {
    if (!text.startsWith('{')) return;
    const message = JSON.parse(text) as Message;
    if ('ready' in message) this.since = performance.now();
    this.messages.push(message);
    for (const one of this.waiting) if (one.name in message) one.resolve(message);
  }

  private async end(): Promise<End> {
    const [code, signal] = (await once(this.child, 'close')) as [number | null, NodeJS.Signals | null];
    const { messages, stderr } = this;
    return { code, signal, ms: performance.now() - this.since, messages, stderr };
  }
}
