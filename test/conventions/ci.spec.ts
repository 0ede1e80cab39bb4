import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { coerce, major, minVersion, satisfies } from 'semver';
import { readYaml } from '../support/yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly jobs: {
    readonly test: {
      readonly strategy: { readonly matrix: { readonly node: readonly unknown[] } };
      readonly steps: readonly Step[];
    };
  };
}

const repository = join(__dirname, '../..');
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');
const { engines, scripts } = JSON.parse(read('package.json')) as {
  engines: { node: string };
  scripts: Record<string, string>;
};
const { strategy, steps } = readYaml<Workflow>(join(repository, '.github/workflows/ci.yml')).jobs.test;
const nodes = strategy.matrix.node;
/** Major versions named in a sentence, such as "Node 20.19, 22.13, 24.11 or later". */
const majorsIn = (text: string): number[] =>
  [...text.matchAll(/\b(\d\d)\.\d+/g)].map(([, one]) => Number(one));

describe('the workflow of CI', () => {
  it('names its Node versions as texts, since YAML reads 20.10 as 20.1', () => {
    expect(nodes.filter((node) => typeof node !== 'string')).toEqual([]);
  });

  it('runs the oldest supported version and every line since that package.json allows', () => {
    const oldest = minVersion(engines.node);
    expect(nodes[0]).toBe(`${oldest?.major}.${oldest?.minor}`);
    // A line is run at its latest release.
    const latest = nodes.map((node) => (String(node).includes('.') ? `${node}.0` : `${node}.99.0`));
    expect(latest.filter((version) => !satisfies(version, engines.node))).toEqual([]);
  });

  it('runs what README and CONTRIBUTING promise', () => {
    const [, from, to] = /Node (\S+) to (\d+)\./.exec(read('README.md')) ?? [];
    expect([nodes[0], nodes.at(-1)]).toEqual([from, to]);
    const [promised = ''] = /^Node 20\.\d+.* or later/m.exec(read('CONTRIBUTING.md')) ?? [];
    const majors = nodes.map((node) => major(coerce(String(node)) ?? ''));
    expect(majors).toEqual(expect.arrayContaining(majorsIn(promised)));
    expect(majorsIn(promised)[0]).toBe(majors[0]);
    expect(majors).toContain(Number(read('.nvmrc')));
  });

  it('runs what a person runs', () => {
    const commands = steps.flatMap(({ run }) => run ?? []);
    expect(commands).toEqual(['npm ci', 'npm test']);
    expect(read('CONTRIBUTING.md')).toContain(commands.join(' && '));
    expect(scripts['test']).toBeDefined();
  });

  it('pins each action to a major version', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  });
});

it.each(['.github/dependabot.yml', '.github/ISSUE_TEMPLATE/bug.yml', '.github/ISSUE_TEMPLATE/feature.yml'])(
  '%s is YAML',
  (file) => {
    expect(readYaml(join(repository, file))).toEqual(expect.any(Object));
  },
);
