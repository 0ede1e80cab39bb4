import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import fc from 'fast-check';
import { BaselineFault, decodeSnapshot } from '../../lib/baseline/baseline-format.js';
import { run } from '../../lib/cli/run.js';
import { graphqlWithoutValues } from '../../lib/spans/graphql-text.js';
import { nameWithoutValues } from '../../lib/spans/span-name.js';
import { StatementCache } from '../../lib/spans/statement.js';
import { dialectOf } from '../../lib/spans/statement-dialect.js';
import { connectionWithoutValues, withoutCredentials, withoutValues } from '../../lib/text/address.js';
import { errorWithoutValues, stackWithoutValues } from '../../lib/text/error-text.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { SECRET } from './planted-statements.js';

const described = (system: string, text: string) =>
  new StatementCache().get(text, dialectOf({ 'db.system.name': system })).text;

const CLEANERS = [
  graphqlWithoutValues,
  withoutCredentials,
  withoutValues,
  connectionWithoutValues,
  errorWithoutValues,
  nameWithoutValues,
];

/** Noise within a string. It must not close the string in the dialect, so quotes are doubled and backslashes escaped. */
const noise = fc
  .array(
    fc.constantFrom(
      SECRET,
      ' ',
      "''",
      '--',
      '/*',
      '*/',
      '#',
      ';',
      '$$',
      '"',
      '`',
      '[',
      ']',
      '(',
      ')',
      '?',
      ':a',
      '\n',
      '\\\\',
      '//',
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

/** Strings in the notations of each dialect. */
const LITERALS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  postgresql: fc.oneof(
    noise.map((text) => `'${text}'`),
    noise.map((text) => `E'\\'${text}'`),
    noise.map((text) => `'${text}C:\\'`),
    noise.map((text) => `$q$${text}$q$`),
  ),
  mysql: fc.oneof(
    noise.map((text) => `'${text}\\''`),
    noise.map((text) => `"${text.replaceAll('"', '""')}"`),
    noise.map((text) => `"\\"${text.replaceAll('"', "'")}"`),
  ),
  'oracle.db': fc.oneof(
    noise.map((text) => `'${text}'`),
    noise.map((text) => `q'[${text.replaceAll(']', '')}' ]'`),
    noise.map((text) => `nq'!${text.replaceAll('!', '')}' !'`),
  ),
  'microsoft.sql_server': fc.oneof(
    noise.map((text) => `N'${text}'`),
    noise.map((text) => `'${text}C:\\'`),
  ),
  sqlite: noise.map((text) => `'${text}'`),
  'gcp.bigquery': fc.oneof(
    noise.map((text) => `"${text.replaceAll('"', "'").replaceAll('\n', '')}"`),
    noise.map((text) => `'''a${text.replaceAll("'", '"')}'''`),
  ),
  cassandra: fc.oneof(
    noise.map((text) => `'${text}'`),
    noise.map((text) => `$$${text.replaceAll('$', '')}$$`),
  ),
};

const template = fc.constantFrom(
  (a: string, b: string) => `SELECT x FROM t WHERE a = ${a} AND b = ${b}`,
  (a: string, b: string) => `INSERT INTO t (a, b) VALUES (${a}, ${b})`,
  (a: string, b: string) => `UPDATE t SET a = ${a} WHERE b LIKE ${b}`,
  (a: string, b: string) => `SELECT coalesce(${a}, x) AS y FROM t -- why\nWHERE f(${b}) > 1`,
  (a: string, b: string) => `DELETE FROM t /* ${SECRET} */ WHERE a IN (${a},${b})`,
  (a: string, b: string) => `CALL p(${a}, ${b})`,
);

describe('what is read from outside', () => {
  it.each(Object.entries(LITERALS))(
    'never shows a string of %s, and is grouped without it',
    (system, literal) => {
      fc.assert(
        fc.property(template, literal, literal, (make, one, other) => {
          const text = described(system, make(one, other));
          expect(text).not.toContain(SECRET);
          expect(text).toBe(described(system, make("'a'", "'b'")));
        }),
        {
          numRuns: 1500,
          // Found by earlier runs.
          examples: [],
        },
      );
    },
  );

  it('shows no string of a statement whose system is not stated', () => {
    fc.assert(
      fc.property(template, fc.oneof(...Object.values(LITERALS)), (make, literal) => {
        expect(new StatementCache().get(make(literal, '1')).text).not.toContain(SECRET);
      }),
      { numRuns: 3000 },
    );
  });

  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.constantFrom(
          ..."' \" ` \\ $ $a$ [ ] ( ) # -- /* */ q' ''' \"\"\" N E set exec identified by = ; , . select from".split(
            ' ',
          ),
        ),
        { maxLength: 200 },
      )
      .map((parts) => parts.join('')),
  );

  it('never throws, whatever text it is', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(...Object.keys(LITERALS), 'unknown'), (text, system) => {
        expect(typeof described(system, text)).toBe('string');
        for (const clean of CLEANERS) expect(typeof clean(text)).toBe('string');
        expect(typeof stackWithoutValues(text, text.slice(2, 20))).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  it('is read in time that does not grow with its square', () => {
    const parts = `' " \` \\ $ $a$ [ ] ( ) # -- --' /* */ q'[ ''' """ N' E' ;set=a ;exec,a identified~by~ @ : :// a@ a= = ? { } \n u&' a/ ://a@ token= ;a= a- a: a. # x; :1 < /? /#~ a@b /hooks/ /hooks/a/ cookie:~ bearer~ password /{a} query{ 12: u:p@`;
    for (const part of parts.split(/ +/)) {
      const text = part.replaceAll('~', ' ').repeat(200_000 / part.length);
      const before = process.cpuUsage();
      for (const system of [...Object.keys(LITERALS), 'unknown']) described(system, `select ${text}`);
      for (const clean of CLEANERS) clean(text);
      stackWithoutValues(text, part);
      const { user, system } = process.cpuUsage(before);
      expect([part, (user + system) / 1000 < 1500]).toEqual([part, true]);
    }
  });

  it('shows no value of a document of GraphQL', () => {
    const value: fc.Arbitrary<string> = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(
          `"${SECRET}"`,
          `"\\"${SECRET}"`,
          `"""a"${SECRET}\n"""`,
          SECRET,
          `"${SECRET} # ) {"`,
          '77007',
          '-1.5e77007',
          '$id',
        ),
        fc.array(tie('value'), { maxLength: 3 }).map((all) => `[${all.join(', ')}]`),
        fc
          .array(tie('value'), { maxLength: 3 })
          .map((all) => `{ ${all.map((each, i) => `k${i}: ${each}`).join(' ')} }`),
      ),
    })).value as fc.Arbitrary<string>;
    fc.assert(
      fc.property(value, value, (one, other) => {
        const document = `query Q($id: ID! = ${one}, $b: [Int!]) { a: user(id: ${one}, where: ${other}) @include(if: $b) { id posts(first: ${other}) { title } } } # ${SECRET}`;
        const text = graphqlWithoutValues(document);
        expect(text).not.toMatch(/zqx|77007/);
        for (const name of [
          'query Q($id: ID! =',
          '$b: [Int!]',
          'a: user(id:',
          'where:',
          '@include(if: $b)',
          'posts(first:',
          'title',
        ])
          expect(text).toContain(name);
      }),
      { numRuns: 1000 },
    );
  });

  it('shows no user, password, query or fragment of an address', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', '1', ':', '@', '/', '?', '#', '%40', '.', '-'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        fc.constantFrom('redis', 'postgres', 'amqp', 'mongodb', 'mysql'),
        word,
        word,
        (scheme, before, after) => {
          const secret = `${before}${SECRET}${after}`;
          for (const address of [
            `${scheme}://u:${secret}@host:1/db`,
            `${scheme}://host:1/db?a=${secret}#${secret}`,
          ]) {
            expect(withoutValues(address)).not.toContain(SECRET);
            expect(withoutCredentials(`connect ${address} failed`)).not.toContain(SECRET);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is no baseline unless it is one', () => {
    const line = fc.oneof(
      fc.json({ maxDepth: 3 }),
      fc.string(),
      fc.constantFrom(
        '{"formatVersion":1}',
        '{"formatVersion":3}',
        '{"formatVersion":2,"operations":1e9}',
        '[]',
        'null',
        '{"__proto__":{}}',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        try {
          decodeSnapshot(lines.join('\n'));
        } catch (error) {
          expect(error).toBeInstanceOf(BaselineFault);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('analyze', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('reads or refuses any trace file, and never fails itself', async () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constantFrom(null, true, 1e308, '', '0', 'ff', '__proto__'),
    );
    const attribute = fc.record(
      {
        key: fc.oneof(
          fc.constantFrom('db.query.text', 'db.system', 'http.route', 'url.full', '__proto__'),
          fc.string(),
        ),
        value: fc.oneof(fc.record({ stringValue: scalar }), fc.jsonValue({ maxDepth: 2 })),
      },
      { requiredKeys: [] },
    );
    const span = fc.record(
      {
        traceId: fc.oneof(fc.constant('a'.repeat(32)), scalar),
        spanId: fc.oneof(fc.constant('b'.repeat(16)), scalar),
        parentSpanId: scalar,
        name: scalar,
        kind: scalar,
        startTimeUnixNano: scalar,
        endTimeUnixNano: scalar,
        attributes: fc.oneof(fc.array(attribute, { maxLength: 4 }), scalar),
        status: fc.jsonValue({ maxDepth: 1 }),
      },
      { requiredKeys: [] },
    );
    const file = fc.oneof(
      fc
        .array(span, { maxLength: 6 })
        .map((spans) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })),
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.array(span, { maxLength: 3 }), fc.nat(200))
        .map(([spans, end]) =>
          JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }).slice(0, end),
        ),
    );
    const path = join(directory, 'traces.json');
    await fc.assert(
      fc.asyncProperty(file, async (text) => {
        writeFileSync(path, text);
        const written: string[] = [];
        const out = { write: (chunk: string) => written.push(chunk) > 0 };
        const code = await run(
          ['analyze', path],
          { stdin: new PassThrough(), stdout: out, stderr: out } as never,
          () => '1',
        );
        expect([0, 1, 2]).toContain(code);
        // A stack would be that of a bug.
        expect(written.join('')).not.toMatch(/\n\s+at /);
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

@Controller('fuzzed')
class FuzzedController {
  @Get()
  get(): string {
    return 'ok';
  }
}

describe('headers', () => {
  let application: TestApplication;
  beforeAll(async () => {
    application = await startApplication(
      'express',
      { controllers: [FuzzedController] },
      { endpoint: { token: 'a-token-of-the-test' } },
    );
  });
  afterAll(() => application.app.close());

  const get = (path: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(`${application.url}${path}`, { headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', reject).end();
    });

  it('change no response, and open no endpoint', async () => {
    const value = fc.oneof(
      fc.string({
        unit: fc.constantFrom(...'0123456789abcdef-=,;: %"\\/Bearrbasic'.split('')),
        maxLength: 120,
      }),
      fc.constantFrom(
        '00-00000000000000000000000000000000-0000000000000000-00',
        `00-${'f'.repeat(32)}-${'f'.repeat(16)}-ff`,
        'for=127.0.0.1;host=localhost',
        'Bearer',
        'Bearer  ',
        'bearer a-token',
        `a=${'b'.repeat(2000)}`,
        '%',
        '=;=,',
      ),
    );
    await fc.assert(
      fc.asyncProperty(value, value, async (one, other) => {
        const headers = {
          traceparent: one,
          tracestate: other,
          baggage: other,
          forwarded: one,
          'x-forwarded-for': other,
          authorization: one,
        };
        expect(await get('/fuzzed', headers)).toBe(200);
        expect([401, 403, 429]).toContain(await get('/performance/stats', headers));
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
