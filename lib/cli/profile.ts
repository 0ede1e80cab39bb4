import {
  FILE_EXTENSIONS,
  MAX_CAPTURE_SECONDS,
  PROFILE_TYPES,
  type ProfileType,
} from '../../profiling/profile-info.js';
import { formatValue } from '../../validation/options-error.js';
import type { Command } from '../command.js';
import { tokenOfEnvironment } from '../endpoint-request.js';
import { EXIT, type Io, tell } from '../io.js';
import { type CommandInput, oneOfOption as oneOf, UsageError } from '../options.js';
import { type CapturedProfile, EndpointClient, endpointAddress } from './endpoint-client.js';
import { EndpointFault, TOKEN_VARIABLE } from './endpoint-fault.js';
import { checkFolder, checkFree, FileFault, saveFile, writeOut } from './save-file.js';
import { howToOpen, type ProfileFormat, summaryOf } from './words.js';

const FORMATS = ['native', 'pprof'] as const satisfies readonly ProfileFormat[];
/** What a file in this directory is called before its name is known. */
const DEFAULT_FILE = 'the profile';
const DEFAULT_SECONDS = 10;

export const profile: Command = {
  usage: 'profile [options] URL',
  description: `Has a running application capture a profile of itself, waits for it, and downloads it. URL is the address of the
application's endpoint, such as http://localhost:3000/performance.

The token, where endpoint.token asks for one, is taken from the environment variable ${TOKEN_VARIABLE},
and never from the command line, which others can see. Ctrl-C ends the capture, and nothing is kept.

A heap snapshot stops the application for some 5 to 15 seconds for each 100 MB, and holds all its strings, secrets too.
Files are written for their owner alone. Ends with 0 when the profile is there, else with 2.`,
  options: {
    type: { value: 'TYPE', help: `one of ${PROFILE_TYPES.join(', ')} (default cpu)` },
    seconds: {
      value: 'N',
      help: `how long to capture: 1 to ${MAX_CAPTURE_SECONDS} (default ${DEFAULT_SECONDS}); not for a heap_snapshot`,
    },
    format: {
      value: 'FORMAT',
      help: "native, V8's own, or pprof, gzipped (default native); a heap_snapshot has no pprof",
    },
    output: {
      value: 'FILE',
      short: 'o',
      help: 'where to write it; - is stdout (default: its name, in this directory)',
    },
    force: { help: 'overwrite FILE' },
  },
  run,
};

interface Wanted {
  readonly client: EndpointClient;
  readonly type: ProfileType;
  /** Nothing for a heap snapshot. */
  readonly seconds: number | undefined;
  readonly format: ProfileFormat;
  /** Nothing where the profile's name is to be the file's. */
  readonly output: string | undefined;
  readonly overwrite: boolean;
}

async function run({ operands, options }: CommandInput, io: Io): Promise<number> {
  const wanted = { ...parse(options), client: clientOf(operands) };
  if (wanted.output === '-' && io.stdout.isTTY === true)
    throw new UsageError('--output is -, and stdout is a terminal: give a file, or send stdout elsewhere');
  let captured: CapturedProfile | undefined;
  try {
    await checkOutput(wanted);
    captured = await capture(wanted, io);
    await save(captured, wanted, io);
    return EXIT.fine;
  } catch (error) {
    if (error instanceof FileFault)
      tell(io, `${wanted.output === '-' ? 'stdout' : nameOf(captured, wanted)} ${error.message}`);
    else if (error instanceof EndpointFault) tell(io, `${wanted.client.base}: ${error.message}`);
    else throw error;
    if (captured !== undefined)
      tell(io, `The application keeps the profile for now: ${wanted.client.base}/profiles/${captured.id}`);
    return EXIT.failed;
  }
}

async function checkOutput({ output, overwrite }: Wanted): Promise<void> {
  if (output === '-') return;
  await checkFolder(output ?? DEFAULT_FILE);
  if (output !== undefined) await checkFree(output, overwrite);
}

async function capture({ client, type, seconds }: Wanted, io: Io): Promise<CapturedProfile> {
  const during = seconds === undefined ? '' : ` for ${seconds} s`;
  tell(io, `Capturing ${type}${during}. Ctrl-C ends it, and nothing is kept.`);
  return client.capture(type, seconds);
}

async function save(captured: CapturedProfile, wanted: Wanted, io: Io): Promise<void> {
  const { client, format, overwrite } = wanted;
  const content = client.download(captured.id, format);
  const path = nameOf(captured, wanted);
  if (path === '-') {
    await writeOut(content, io.stdout);
    return;
  }
  const bytes = await saveFile(content, path, overwrite);
  tell(io, `${path}: ${summaryOf(captured, bytes)}`);
  tell(io, howToOpen(captured.type, format, path));
}

/** The file to write: as it is given, or as the application calls it. */
function nameOf(captured: CapturedProfile | undefined, { output, format }: Wanted): string {
  if (output !== undefined || captured === undefined) return output ?? DEFAULT_FILE;
  return `${captured.id}.${format === 'pprof' ? 'pb.gz' : FILE_EXTENSIONS[captured.type]}`;
}

function clientOf(operands: readonly string[]): EndpointClient {
  const [given, ...more] = operands;
  if (given === undefined)
    throw new UsageError(
      'no URL is given: give the address of the endpoint, such as http://localhost:3000/performance',
    );
  if (more.length > 0) throw new UsageError(`${formatValue(more[0])} is given after URL: give one URL`);
  const address = endpointAddress(given);
  if ('fault' in address) throw new UsageError(address.fault);
  return new EndpointClient(address.base, tokenOfEnvironment());
}

function parse(options: CommandInput['options']): Omit<Wanted, 'client'> {
  const type = oneOf(options, 'type', PROFILE_TYPES) ?? 'cpu';
  const format = oneOf(options, 'format', FORMATS) ?? 'native';
  const output = options['output'] as string | undefined;
  const snapshot = type === 'heap_snapshot';
  if (snapshot && format === 'pprof')
    throw new UsageError('--format is "pprof", which is not allowed with --type heap_snapshot: give native');
  const seconds = secondsOf(options['seconds']);
  if (snapshot && seconds !== undefined)
    throw new UsageError(
      `--seconds is "${seconds}", which is not allowed with --type heap_snapshot: leave it out`,
    );
  return {
    type,
    format,
    seconds: snapshot ? undefined : (seconds ?? DEFAULT_SECONDS),
    output,
    overwrite: options['force'] !== undefined,
  };
}

function secondsOf(given: string | true | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = /^\d+$/.test(String(given)) ? Number(given) : Number.NaN;
  if (seconds >= 1 && seconds <= MAX_CAPTURE_SECONDS) return seconds;
  throw new UsageError(
    `--seconds is ${formatValue(given)}, which is not allowed: give a whole number from 1 to ${MAX_CAPTURE_SECONDS}`,
  );
}
