import { Readable, Writable } from 'node:stream';
import type { TraceFinding } from '../../../lib/cli/analyze/trace-findings.js';
import { run } from '../../../lib/cli/run.js';

/** The result of a command line. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process with `input` on stdin. */
export async function runCli(args: string[], input: string | Buffer = '', isTTY = false): Promise<Ran> {
  const stdout = new Sink(isTTY);
  const stderr = new Sink(false);
  const bytes = Buffer.from(input);
  const code = await run(
    args,
    { stdin: Readable.from(bytes.length > 0 ? [bytes] : []), stdout, stderr },
    () => '0.0.0',
  );
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** The findings in exports, one per line. */
export async function analyzed(exports: unknown[], ...options: string[]): Promise<TraceFinding[]> {
  const lines = exports.map((one) => JSON.stringify(one)).join('\n');
  const { stdout, stderr } = await runCli(['analyze', ...options, '-'], lines);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as TraceFinding[];
}

class Sink extends Writable {
  text = '';

  constructor(readonly isTTY: boolean) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
