import { CHANGE_VERDICTS, type ChangeVerdict } from '../baseline/operation-change.js';
import type { ReleaseVerdict } from '../baseline/release-verdict.js';
import { releaseMarkdown } from '../report/release-markdown.js';
import { printableJson } from '../text/printable.js';
import { formatValue } from '../validation/options-error.js';
import { type Command, EXIT, logLine } from './command.js';
import { SourceFault } from './compare-source.js';
import { EndpointClient, endpointAddress } from './endpoint-client.js';
import { EndpointFault, objectIn, TOKEN_VARIABLE, tokenOfEnvironment } from './endpoint-request.js';
import { type CommandInput, oneOfOption, UsageError } from './options.js';
import { verdictBeside } from './release-beside.js';

const FORMATS = ['md', 'json'] as const;
/** Not those of other commands: missing data is neither a finding nor an error. */
const NOT_ENOUGH_DATA = 3;
const EXIT_CODES: Readonly<Record<ChangeVerdict, number>> = {
  better: EXIT.fine,
  same: EXIT.fine,
  worse: EXIT.found,
  'not enough data': NOT_ENOUGH_DATA,
};

export const release: Command = {
  usage: 'release [options] URL',
  description: `Judges the version of a running application against another one: better, same, worse or not enough data, by operation:
median, tail, errors, statements and CPU; and by the memory of the process. URL is the address of its endpoint, such as
http://localhost:3000/performance. The application answers for all instances that share its baselines.

If endpoint.token is set, pass the token in the environment variable ${TOKEN_VARIABLE}.

Exit codes: 0 better or same, 1 worse, 2 invalid arguments or no answer, 3 not enough data.`,
  options: {
    since: {
      value: 'VERSION',
      help: 'service.version to compare with (default: the other one that saved last)',
    },
    beside: {
      value: 'URL',
      help: 'compare with this application instead, which runs at the same time: a canary with its sibling',
    },
    format: { value: 'FORMAT', help: 'md (Markdown) or json (default md)' },
    'allow-not-enough-data': { help: 'exit with 0 instead of 3 if there is not enough data' },
  },
  async run({ operands, options }, io) {
    const [given, ...more] = operands;
    if (given === undefined)
      throw new UsageError(
        'Missing URL: expected the address of the endpoint, such as http://localhost:3000/performance',
      );
    if (more.length > 0)
      throw new UsageError(`Unexpected argument ${formatValue(more[0])}: expected one URL`);
    const format = oneOfOption(options, 'format', FORMATS) ?? 'md';
    try {
      const verdict = await verdictOf(given, options);
      io.stdout.write(
        printableJson(format === 'json' ? `${JSON.stringify(verdict, null, 2)}\n` : markdownOf(verdict)),
      );
      logLine(io, verdict.explanation);
      const code = EXIT_CODES[verdict.verdict];
      return code === NOT_ENOUGH_DATA && options['allow-not-enough-data'] === true ? EXIT.fine : code;
    } catch (error) {
      if (error instanceof EndpointFault) logLine(io, `${given}: ${error.message}`);
      else if (error instanceof SourceFault) logLine(io, error.message);
      else throw error;
      return EXIT.failed;
    }
  },
};

async function verdictOf(given: string, options: CommandInput['options']): Promise<ReleaseVerdict> {
  const { since, beside } = options;
  const base = baseOf(given);
  if (beside === undefined) return ofApplication(base, since as string | undefined);
  if (since !== undefined)
    throw new UsageError('Invalid --since: not applicable with --beside, expected one of them');
  return verdictBeside(base, baseOf(String(beside)));
}

function baseOf(given: string): string {
  const address = endpointAddress(given);
  if ('fault' in address) throw new UsageError(address.fault);
  return address.base.replace(/\/(release(\.\w+)?|baseline)$/, '');
}

async function ofApplication(base: string, since: string | undefined): Promise<ReleaseVerdict> {
  const client = new EndpointClient(base, tokenOfEnvironment());
  const verdict = objectIn(await client.release(since));
  if (
    !CHANGE_VERDICTS.includes(verdict['verdict'] as ChangeVerdict) ||
    typeof verdict['explanation'] !== 'string'
  )
    throw new EndpointFault('the response is not a verdict: check the address of the endpoint');
  return verdict as unknown as ReleaseVerdict;
}

/** The application may have another version of this package. */
function markdownOf(verdict: ReleaseVerdict): string {
  try {
    return releaseMarkdown(verdict);
  } catch {
    throw new EndpointFault(
      'the verdict is of another version of nestjs-performance: use that version, or --format json',
    );
  }
}
