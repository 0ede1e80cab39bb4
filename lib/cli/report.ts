import { lstat } from 'node:fs/promises';
import { extname } from 'node:path';
import { MAX_LIMIT } from '../report/build-report.js';
import { parseSince, SINCE_ALLOWED } from '../report/covered-time.js';
import { printableJson } from '../text/printable.js';
import { formatValue, invalid } from '../validation/options-error.js';
import { type Command, EXIT, type Io, logLine } from './command.js';
import { EndpointClient, endpointAddress } from './endpoint-client.js';
import { EndpointFault, TOKEN_VARIABLE, tokenOfEnvironment } from './endpoint-request.js';
import { type CommandInput, oneOfOption, UsageError } from './options.js';
import { ReportFault, reportInFile } from './report-file.js';
import { checkFolder, checkFree, FileFault, saveFile } from './save-file.js';

const FORMATS = ['json', 'md', 'html'] as const;
type Format = (typeof FORMATS)[number];

export const report: Command = {
  usage: 'report [options] URL|FILE',
  description: `Writes a report of slow operations, regressions and their cost. URL is the address of a running application's endpoint,
such as http://localhost:3000/performance. FILE is a JSON report to convert to another format.

If endpoint.token is set, pass the token in the environment variable ${TOKEN_VARIABLE}. It is never read from
the command line, which other users can see.

Exit codes: 0 the report was written, whatever its verdict, 2 invalid arguments, files or responses.`,
  options: {
    since: { value: 'TIME', help: 'start of the report: 15m, 24h, 7d, or a date (default: all data)' },
    limit: { value: 'N', help: `maximum length of each list, 1 to ${MAX_LIMIT} (default 20)` },
    format: {
      value: 'FORMAT',
      help: 'json, md (Markdown) or html (default: by the extension of --out, else md)',
    },
    out: { value: 'FILE', short: 'o', help: 'output file (default: stdout)' },
    force: { help: 'overwrite the file of --out' },
  },
  run,
};

async function run({ operands, options }: CommandInput, io: Io): Promise<number> {
  const [given, ...more] = operands;
  if (given === undefined)
    throw new UsageError(
      'Missing URL or FILE: expected the address of the endpoint, such as http://localhost:3000/performance',
    );
  if (more.length > 0)
    throw new UsageError(`Unexpected argument ${formatValue(more[0])}: expected one URL or FILE`);
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
    logLine(io, `Wrote ${out}`);
    return EXIT.fine;
  } catch (error) {
    if (error instanceof FileFault) logLine(io, `${out} ${error.message}`);
    else if (error instanceof EndpointFault) logLine(io, `${given}: ${error.message}`);
    else if (error instanceof ReportFault) logLine(io, `${given} ${error.message}`);
    else throw error;
    return EXIT.failed;
  }
}

/** The application itself formats its report, as its version of this package may differ. */
async function textOf(given: string, format: Format, query: URLSearchParams): Promise<string> {
  if (/^https?:\/\//i.test(given)) {
    const address = endpointAddress(given);
    if ('fault' in address) throw new UsageError(address.fault);
    const base = address.base.replace(/\/report(\.\w+)?$/, '');
    return new EndpointClient(base, tokenOfEnvironment()).report(format, query.toString());
  }
  const [first] = query.keys();
  if (first !== undefined)
    throw new UsageError(`Invalid --${first}: not applicable to a file, expected none`);
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
      throw new UsageError(invalid('--since', formatValue(since), SINCE_ALLOWED));
    query.set('since', String(since));
  }
  if (limit !== undefined) {
    const count = /^\d+$/.test(String(limit)) ? Number(limit) : 0;
    if (count < 1 || count > MAX_LIMIT)
      throw new UsageError(invalid('--limit', formatValue(limit), `a whole number from 1 to ${MAX_LIMIT}`));
    query.set('limit', String(count));
  }
  return query;
}

/** Checks early that the output file can be written. */
async function checkOut(out: string, overwrite: boolean): Promise<void> {
  await checkFolder(out);
  const stats = await lstat(out).catch(() => undefined);
  if (stats !== undefined && !stats.isFile())
    throw new FileFault('is not a regular file: use another output file');
  await checkFree(out, overwrite);
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
}
