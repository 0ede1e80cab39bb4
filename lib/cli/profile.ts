import {
  FILE_EXTENSIONS,
  MAX_CAPTURE_SECONDS,
  PROFILE_TYPES,
  type ProfileType,
} from '../profiling/profile-info.js';
import { formatValue, invalid } from '../validation/options-error.js';
import { type Command, EXIT, type Io, logLine } from './command.js';
import { type CapturedProfile, EndpointClient, endpointAddress } from './endpoint-client.js';
import { EndpointFault, TOKEN_VARIABLE, tokenOfEnvironment } from './endpoint-request.js';
import { type CommandInput, oneOfOption as oneOf, UsageError } from './options.js';
import { checkFolder, checkFree, FileFault, saveFile, writeOut } from './save-file.js';

/** V8's format, or gzipped pprof. */
type ProfileFormat = 'native' | 'pprof';

const FORMATS = ['native', 'pprof'] as const satisfies readonly ProfileFormat[];
/** Stands for the file name in messages before it is known. */
const DEFAULT_FILE = 'the profile';
const DEFAULT_SECONDS = 10;

export const profile: Command = {
  usage: 'profile [options] URL',
  description: `Captures a profile of a running application and downloads it. URL is the address of the application's endpoint, such as
http://localhost:3000/performance.

If endpoint.token is set, pass the token in the environment variable ${TOKEN_VARIABLE}. It is never read from
the command line, which other users can see. Without a token, a session is begun, which applications grant to callers on
their machine. Ctrl+C aborts the capture.

A heap snapshot requires the token, blocks the application for 5 to 15 seconds per 100 MB, and contains all strings,
including secrets.
Files are readable by their owner only.

Exit codes: 0 the profile was written, 2 it was not.`,
  options: {
    type: { value: 'TYPE', help: `one of ${PROFILE_TYPES.join(', ')} (default cpu)` },
    seconds: {
      value: 'N',
      help: `duration in seconds, 1 to ${MAX_CAPTURE_SECONDS} (default ${DEFAULT_SECONDS}); not for heap_snapshot`,
    },
    format: {
      value: 'FORMAT',
      help: 'native (of V8) or pprof, gzipped (default native); heap_snapshot is native only',
    },
    output: {
      value: 'FILE',
      short: 'o',
      help: 'output file; - is stdout (default: a generated name in this directory)',
    },
    force: { help: 'overwrite FILE' },
  },
  run,
};

interface Wanted {
  readonly client: EndpointClient;
  readonly type: ProfileType;
  /** Undefined for a heap snapshot. */
  readonly seconds: number | undefined;
  readonly format: ProfileFormat;
  /** Undefined to use the name of the profile. */
  readonly output: string | undefined;
  readonly overwrite: boolean;
}

async function run({ operands, options }: CommandInput, io: Io): Promise<number> {
  const wanted = { ...parse(options), client: clientOf(operands) };
  if (wanted.output === '-' && io.stdout.isTTY === true)
    throw new UsageError('Invalid --output: stdout is a terminal, expected a file, or redirect stdout');
  let captured: CapturedProfile | undefined;
  try {
    await checkOutput(wanted);
    captured = await capture(wanted, io);
    await save(captured, wanted, io);
    return EXIT.fine;
  } catch (error) {
    if (error instanceof FileFault)
      logLine(io, `${wanted.output === '-' ? 'stdout' : nameOf(captured, wanted)} ${error.message}`);
    else if (error instanceof EndpointFault) logLine(io, `${wanted.client.base}: ${error.message}`);
    else throw error;
    if (captured !== undefined)
      logLine(io, `The application still stores the profile: ${wanted.client.base}/profiles/${captured.id}`);
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
  logLine(io, `Capturing ${type}${during}. Ctrl+C aborts.`);
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
  logLine(io, `${path}: ${summaryOf(captured, bytes)}`);
  logLine(io, howToOpen(captured.type, format, path));
}

/** The name of the output file: as given, or that of the profile. */
function nameOf(captured: CapturedProfile | undefined, { output, format }: Wanted): string {
  if (output !== undefined || captured === undefined) return output ?? DEFAULT_FILE;
  return `${captured.id}.${format === 'pprof' ? 'pb.gz' : FILE_EXTENSIONS[captured.type]}`;
}

function clientOf(operands: readonly string[]): EndpointClient {
  const [given, ...more] = operands;
  if (given === undefined)
    throw new UsageError(
      'Missing URL: expected the address of the endpoint, such as http://localhost:3000/performance',
    );
  if (more.length > 0) throw new UsageError(`Unexpected argument ${formatValue(more[0])}: expected one URL`);
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
    throw new UsageError(invalid('--format', '"pprof"', 'native with --type heap_snapshot'));
  const seconds = secondsOf(options['seconds']);
  if (snapshot && seconds !== undefined)
    throw new UsageError(invalid('--seconds', `"${seconds}"`, 'no value with --type heap_snapshot'));
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
    invalid('--seconds', formatValue(given), `a whole number from 1 to ${MAX_CAPTURE_SECONDS}`),
  );
}

const NAMES: Readonly<Record<ProfileType, string>> = {
  cpu: 'CPU profile',
  allocations: 'allocation profile',
  heap_snapshot: 'heap snapshot',
};

/** `CPU profile, 10 s, 9843 samples, 1.2 MB` */
function summaryOf({ type, durationMs, samples }: CapturedProfile, bytes: number): string {
  const parts = [NAMES[type]];
  if (type !== 'heap_snapshot') parts.push(`${Math.round(durationMs / 100) / 10} s`);
  if (samples !== undefined) parts.push(`${samples} samples`);
  parts.push(bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e5) / 10} MB`);
  return parts.join(', ');
}

/** The tools that open the file. */
function howToOpen(type: ProfileType, format: ProfileFormat, path: string): string {
  if (format === 'pprof') return `Open with: go tool pprof -http=: ${path}, or https://www.speedscope.app`;
  if (type === 'heap_snapshot')
    return 'Open with: Chrome DevTools, Memory, Load profile. The file may contain secrets.';
  const panel = type === 'cpu' ? 'Performance' : 'Memory';
  return `Open with: Chrome DevTools, ${panel}, Load profile, or https://www.speedscope.app`;
}
