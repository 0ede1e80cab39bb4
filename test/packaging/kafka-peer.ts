import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './processes';

const PORT = 5190;
/** The first build takes a minute, and several times that beside other work. */
const BUILD_TIMEOUT_MS = 280_000;

/** A running peer that speaks Kafka's protocol. */
export interface KafkaPeer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Builds and starts a peer that speaks Kafka's protocol. Without Go, or its modules, a line says that it is skipped. */
export async function startKafka(): Promise<KafkaPeer | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-kafka-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  await cp(join(__dirname, 'programs/kafka'), folder, { recursive: true });
  const failure = await build(folder);
  if (failure !== undefined) {
    process.stderr.write(`skipped: messages by kafka, whose peer cannot be built: ${failure}\n`);
    await remove();
    return undefined;
  }
  const peer = spawn(join(folder, 'peer'), [String(PORT)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = async (): Promise<void> => {
    await ended(peer);
    await remove();
  };
  const isReady = await new Promise<boolean>((resolve) => {
    peer.stdout.once('data', () => resolve(true));
    peer.once('close', () => resolve(false));
  });
  if (isReady) return { port: PORT, stop };
  await stop();
  throw new Error('the peer for Kafka ended');
}

async function build(folder: string): Promise<string | undefined> {
  try {
    const { code, stderr } = await run('go', ['build', '-o', 'peer', '.'], folder, BUILD_TIMEOUT_MS);
    return code === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? `go ended with ${code}`);
  } catch (error) {
    return (error as Error).message;
  }
}

function ended(peer: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (peer.exitCode !== null) resolve();
    else peer.once('close', () => resolve()).kill();
  });
}
