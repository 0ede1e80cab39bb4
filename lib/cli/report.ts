import { lstat } from 'node:fs/promises';
import { extname } from 'node:path';
import { MAX_LIMIT } from '../report/build-report.js';
import { parseSince, SINCE_ALLOWED } from '../report/since.js';
import { printableJson } from '../text/printable.js';
import { formatValue } from '../validation/options-error.js';
import type { Command } from './command.js';
import { tokenOfEnvironment } from './endpoint-request.js';
import { EXIT, type Io, tell } from './io.js';
import { type CommandInput, oneOfOption, UsageError } from './options.js';
import { EndpointClient, endpointAddress } from './profile/endpoint-client.js';
import { EndpointFault, TOKEN_VARIABLE } from './profile/endpoint-fault.js';
import { checkFolder, checkFree, FileFault, saveFile } from './profile/save-file.js';
import { ReportFault, reportInFile } from './report-file.js';

const FORMATS = ['json', 'md', 'html'] as const;
type Format = (typeof FORMATS)[number];

export const report: Command = {
  usage: 'report [options] URL|FILE',
  description: `Reports what is slow, what got slower, and what it costs. URL is the address of a running application's endpoint, such
as http://localhost:3000/performance. FILE is a report that was written as JSON before, to be shown in another format.

The token, where endpoint.token asks for one, is taken from the environment variable ${TOKEN_VARIABLE},
and never from the command line, which others can see.

Exit codes: 0 the report is there, whatever it says, 2 a wrong command line, file or answer.`,
  options: {
    since: { value: 'TIME', help: 'what is told of: 15m, 24h, 7d, or a date; all there is if not given' },
    limit: { value: 'N', help: `entries of each list: 1 to ${MAX_LIMIT}; 20 if not given` },
    format: { value: 'FORMAT', help: 'json, md (Markdown) or html; as --out ends if not given, else md' },
    out: { value: 'FILE', short: 'o', help: 'where to write it; stdout if not given' },
    force: { help: 'overwrite the file of --out' },
  },
  run,
};

async function run({ operands, options }: CommandInput, io: Io): Promise<number> {
  const [given, ...more] = operands;
  if (given === undefined)
    throw new UsageError(
      'no URL or FILE is given: give the address of the endpoint, such as http://localhost:3000/performance',
    );
  if (more.length > 0) throw new UsageError(`${formatValue(more[0])} is given after ${given}: give one`);
  const out = options['out'] as string | undefined;
  const format = formatOf(options, out);
  const query = queryOf(options);
  try {
    if (out !== undefined) await checkOut(out, options['force'] !== undefined);
    const text = await textOf(given, format, query);
    if (out === undefined) {
      io.stdout.write(printableJson(text.endsWith('\n') ? text : `${text}\n`));
      return EXIT.fine;
    }
    await saveFile(once(text), out, options['force'] !== undefined);
    tell(io, `${out} is written.`);
    return EXIT.fine;
  } catch (error) {
    if (error instanceof FileFault) tell(io, `${out} ${error.message}`);
    else if (error instanceof EndpointFault) tell(io, `${given}: ${error.message}`);
    else if (error instanceof ReportFault) tell(io, `${given} ${error.message}`);
    else throw error;
    return EXIT.failed;
  }
}

/** A report of an application is written by it: another version of this package may have another form. */
async function textOf(given: string, format: Format, query: URLSearchParams): Promise<string> {
  if (/^https?:\/\//i.test(given)) {
    const address = endpointAddress(given);
    if ('fault' in address) throw new UsageError(address.fault);
    const base = address.base.replace(/\/report(\.\w+)?$/, '');
    return new EndpointClient(base, tokenOfEnvironment()).report(format, query.toString());
  }
  const [first] = query.keys();
  if (first !== undefined)
    throw new UsageError(`--${first} is given with a file, which is made already: leave it out`);
  return reportInFile(given, format);
}

function formatOf(options: CommandInput['options'], out: string | undefined): Format {
  const given = oneOfOption(options, 'format', FORMATS);
  const ending = extname(out ?? '').slice(1);
  return given ?? FORMATS.find((format) => format === ending) ?? 'md';
}

function queryOf(options: CommandInput['options']): URLSearchParams {
  const query = new URLSearchParams();
  const { since, limit } = options;
  if (since !== undefined) {
    if (parseSince(String(since), Date.now()) === undefined)
      throw new UsageError(`--since is ${formatValue(since)}, which is not allowed: ${SINCE_ALLOWED}`);
    query.set('since', String(since));
  }
  if (limit !== undefined) {
    const count = /^\d+$/.test(String(limit)) ? Number(limit) : 0;
    if (count < 1 || count > MAX_LIMIT)
      throw new UsageError(
        `--limit is ${formatValue(limit)}, which is not allowed: give a whole number from 1 to ${MAX_LIMIT}`,
      );
    query.set('limit', String(count));
  }
  return query;
}

/** Before an application is asked for what could not be kept then. */
async function checkOut(out: string, overwrite: boolean): Promise<void> {
  await checkFolder(out);
  const stats = await lstat(out).catch(() => undefined);
  if (stats !== undefined && !stats.isFile()) throw new FileFault('is no regular file: give another one');
  await checkFree(out, overwrite);
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
}
