import { own } from '../validation/own.js';
import { type Command, EXIT, type Io, logLine } from './command.js';
import { describeOptions, type OptionSpecs, parseOptions, UsageError } from './options.js';

const NAME = 'nestjs-performance';

/** The commands. Each is loaded on demand. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  analyze: {
    summary: 'find N+1 queries and sequential calls in recorded traces (OTLP JSON)',
    load: async () => (await import('./analyze/analyze.command.js')).analyze,
  },
  compare: {
    summary: 'compare two baselines to find regressions between releases',
    load: async () => (await import('./compare.js')).compare,
  },
  mcp: {
    summary: 'let an agent ask a running application (Model Context Protocol over stdio)',
    load: async () => (await import('./mcp.js')).mcp,
  },
  profile: {
    summary: 'capture and download a profile of a running application',
    load: async () => (await import('./profile.js')).profile,
  },
  release: {
    summary: 'judge the version of a running application against the last one',
    load: async () => (await import('./release.js')).release,
  },
  report: {
    summary: 'report slow operations, regressions and their cost',
    load: async () => (await import('./report.js')).report,
  },
};

const HELP = { help: { short: 'h', help: 'show this help' } } satisfies OptionSpecs;
const GLOBAL = { ...HELP, version: { help: 'show the version' } } satisfies OptionSpecs;

/** Runs a command line. Never throws. @returns the exit code */
export async function run(args: readonly string[], io: Io, version: () => string): Promise<number> {
  const [name, ...rest] = args;
  const prefix = name === undefined || !Object.hasOwn(COMMANDS, name) ? NAME : `${NAME} ${name}`;
  try {
    if (name === undefined || name.startsWith('-')) return general(args, io, version);
    const entry = own(COMMANDS, name);
    if (entry === undefined)
      throw new UsageError(`Unknown command ${name}: expected one of ${Object.keys(COMMANDS).join(', ')}`);
    const command = await entry.load();
    const input = parseOptions(rest, { ...command.options, ...HELP });
    if (input.options['help'] !== undefined) {
      io.stdout.write(`${helpOf(command)}\n`);
      return EXIT.fine;
    }
    return await command.run(input, io);
  } catch (error) {
    if (error instanceof UsageError) {
      logLine(io, `${prefix}: ${error.message}`);
      logLine(io, `See ${prefix} --help`);
    } else {
      // A bug of this package. Its exit code must differ from that of a finding.
      io.stderr.write(`${prefix}: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
    return EXIT.failed;
  }
}

function general(args: readonly string[], io: Io, version: () => string): number {
  const { options } = parseOptions(args, GLOBAL);
  if (options['version'] !== undefined) {
    io.stdout.write(`${version()}\n`);
    return EXIT.fine;
  }
  if (options['help'] === undefined)
    throw new UsageError(`Missing command: expected one of ${Object.keys(COMMANDS).join(', ')}`);
  const commands = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name}  ${summary}`);
  io.stdout.write(
    `Usage: ${NAME} COMMAND …\n\nCommands:\n${commands.join('\n')}\n\nOptions:\n${describeOptions(GLOBAL)}\n`,
  );
  return EXIT.fine;
}

function helpOf({ usage, description, options }: Command): string {
  return `Usage: ${NAME} ${usage}\n\n${description}\n\nOptions:\n${describeOptions({ ...options, ...HELP })}`;
}
