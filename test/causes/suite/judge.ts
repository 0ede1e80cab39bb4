import type { Case } from './case.js';
import type { Observation } from './observe.js';
import { markedSites } from './sites.js';

/** How accurate the results of one run of a case are. */
export interface Verdict {
  /** The first reported cause, or why there is none. */
  readonly said: string;
  /** Absent for a case without an expected cause. */
  readonly cause: boolean | undefined;
  readonly site: 'right' | 'function only' | 'wrong' | 'missing' | undefined;
  readonly finding: boolean | undefined;
  readonly explanation: boolean | undefined;
  /** Findings on a control, which are false. */
  readonly falseFindings: readonly string[];
  readonly faults: readonly string[];
}

const sites = markedSites();

export function judge(one: Case, { slow, findings }: Observation): Verdict {
  const said = slow === undefined ? 'not slow' : (slow.cause ?? 'cause missing');
  return {
    said,
    cause: one.cause === undefined ? undefined : said === one.cause,
    site: one.site === undefined ? undefined : judgeSite(one, slow?.callSite),
    finding: one.finding === undefined ? undefined : hasFinding(one, findings),
    explanation: one.says === undefined ? undefined : one.says.test(slow?.explanation ?? ''),
    falseFindings: one.kind === 'control' ? findings.map(({ type, route }) => `${type} of ${route}`) : [],
    faults: slow?.cause === undefined ? [] : shapeFaults(slow),
  };
}

/** A blocked event loop is a finding of the route that blocks, any other finding of the judged route. */
function hasFinding(one: Case, findings: Observation['findings']): boolean {
  return findings.some(
    ({ type, route }) =>
      type === one.finding && (type === 'event_loop_block' || route === `${one.method} /${one.name}`),
  );
}

function judgeSite(one: Case, said: NonNullable<Observation['slow']>['callSite']): Verdict['site'] {
  if (said === undefined) return 'missing';
  const marked = sites.get(one.name.split('/').at(-1) ?? '') ?? [];
  if (marked.length === 0) throw new Error(`No line is marked with the call site of ${one.name}`);
  const named = one.site === '' || new RegExp(`(?:^|\\.)(?:${one.site})$`).test(said.function ?? '');
  if (!named) return 'wrong';
  const file = said.file?.replaceAll('\\', '/') ?? '';
  const here = marked.filter((site) => file.endsWith(site.file));
  if (here.length === 0) return 'wrong';
  return here.some(({ line }) => line === said.line) ? 'right' : 'function only';
}

/** The invariants of every explanation. */
function shapeFaults(slow: NonNullable<Observation['slow']>): string[] {
  const { cause, causeShare = Number.NaN, causes = [], explanation = '', durationMs } = slow;
  const faults: string[] = [];
  const want = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault);
  };
  want(causeShare >= 0 && causeShare <= 1, `causeShare is ${causeShare}`);
  want(explanation.length > 20, `the explanation is "${explanation}"`);
  want(causes[0]?.cause === cause, `the first of the causes is ${causes[0]?.cause}, the cause ${cause}`);
  const total = causes.reduce((sum, { share }) => sum + share, 0);
  want(total <= 1.01, `the shares add up to ${total}`);
  want(
    // A lack of CPU comes second where the operation would be slow without it, too.
    causes
      .filter(({ cause: name }) => name !== 'cpu_starved')
      .every(({ share }, index, own) => share <= (own[index - 1]?.share ?? 1)),
    'the causes are not in the order of their shares',
  );
  want(
    causes.every(({ share, ms }) => Math.abs(ms - share * durationMs) < 2 + 0.02 * durationMs),
    'milliseconds and shares do not agree',
  );
  return faults;
}
