import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What a process that has ended leaves. */
export interface Ended {
  /** The exit code; nothing where it had to be killed. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The environment of this process without what Jest, or the machine, would have the library do. */
export function cleanEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const unwanted = /^(OTEL_|NODE_ENV$|NODE_OPTIONS$|FORCE_COLOR$|JEST_|SERVICE_NAME$|ENDPOINT$)/;
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...extra };
}

/** Runs a command to its end, at most this long, whatever its exit code. */
export async function run(
  command: string,
  args: string[],
  cwd: string,
  timeout = 60_000,
  variables: Record<string, string> = {},
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd,
    env: cleanEnvironment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** As {@link run}. @throws with all that the command said, unless it succeeds. */
export async function succeed(
  command: string,
  args: string[],
  cwd: string,
  timeout?: number,
): Promise<Ended> {
  const ended = await run(command, args, cwd, timeout);
  if (ended.code === 0) return ended;
  throw new Error(`${command} ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`);
}
