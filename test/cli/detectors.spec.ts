import { describe, expect, it } from '@jest/globals';
import { analyzed } from './support/analyzing.js';
import { type OtlpSpan, type Plain, Recording } from './support/recording.js';

type Record = (recording: Recording, request: OtlpSpan) => void;

/** The types of the findings in one request. */
async function types(record: Record): Promise<string[]> {
  const recording = new Recording();
  record(recording, recording.request('/albums', 100_000));
  return (await analyzed([recording.otlp])).map(({ type }) => type);
}

/** Sequential GET requests to these addresses. */
const gets =
  (urls: readonly string[], ms = 30, gapMs = 0): Record =>
  (recording, request) => {
    for (const url of urls) {
      recording.work(request, ms, { 'http.request.method': 'GET', 'url.full': url });
      recording.now += gapMs;
    }
  };

/** Sequential queries: texts with the recorded values of each, if there are any. */
const queries =
  (list: readonly (readonly [text: string, values?: readonly string[]])[], ms = 10, gapMs = 0): Record =>
  (recording, request) => {
    for (const [text, values] of list) {
      recording.query(
        request,
        text,
        ms,
        {},
        values === undefined ? {} : { 'db.postgresql.values': [...values] },
      );
      recording.now += gapMs;
    }
  };

const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('a digit in a path is a value', () => {
  it.each([
    ['a number', (n: number) => `http://api/users/${n}`],
    ['a number behind a word', (n: number) => `http://api/users/user${n}`],
    ['a key with a prefix', (n: number) => `http://api/users/usr-${1000 + n}`],
    ['a short key', (n: number) => `http://api/items/c${n}`],
    ['a code', (n: number) => `http://api/items/A${n}B7C${n}`],
    ['a UUID', (n: number) => `http://api/items/550e8400-e29b-41d4-a716-44665544000${n}`],
    ['a hash', (n: number) => `http://api/items/9f86d081884${n}`],
    ['a date', (n: number) => `http://api/rates/2024-06-0${n + 1}`],
    ['a release', (n: number) => `http://api/releases/1.${n}.0`],
    ['a number below a version', (n: number) => `http://api/v2/users/${n}`],
    ['a number below a word with a digit', (n: number) => `http://api/s3/objects/${n}`],
    ['a file', (n: number) => `http://api/reports/report-2024${n}.pdf`],
  ])('as %s', async (_, url) => {
    expect(await types(gets(each(6, url)))).toEqual(['n_plus_one']);
  });
});

describe('a digit in a path is no value', () => {
  const status = (words: string[]): string[] => words.map((word) => `https://cloud.test/${word}/status`);

  it.each([
    ['in names of services', status(['ec2', 's3', 'k8s', 'oauth2', 'route53'])],
    ['in names of formats', status(['utf8', 'md5', 'base64', 'mp3', 'h264', 'sha256'])],
    ['in names of protocols', status(['ipv4', 'ipv6', 'http2', 'saml2', 'x509', 'tls1'])],
    ['in abbreviations', status(['i18n', 'l10n', 'a11y', 'b2b', 'p2p', '2fa', '3d'])],
    ['in compounds', status(['s3-buckets', 'ec2-instances', 'oauth2-tokens', 'utf-8', 'sha-256'])],
    ['in other words', status(['area51', 'level3', 'studio54', 'channel4', 'catch22'])],
    ['in versions', each(6, (n) => `https://cloud.test/v${n + 1}/${'abcdef'[n]}`)],
  ])('%s', async (_, urls) => {
    expect(await types(gets(urls, 4))).toEqual([]);
  });
});

describe('calls one after the other could run in parallel', () => {
  it.each([
    ['with versions in their paths', ['http://a/v1/profile', 'http://b/v2/list', 'http://c/v3/levels']],
    ['with other versions', ['http://a/v1beta1/x', 'http://b/api/v2.1/y', 'http://c/api-v3/z']],
    ['with versions of one host', ['http://a/v1/profile', 'http://a/v2/list', 'http://a/v3/levels']],
    ['with names with a digit', ['http://auth/oauth2/keys', 'http://files/s3/list', 'http://sums/md5/all']],
    [
      'with constant words',
      ['http://a/x?format=json', 'http://b/y?lang=en-US', 'http://c/z?include=items,tags'],
    ],
    ['with constant numbers', ['http://a/x?limit=10', 'http://b/y?page=1&per_page=50', 'http://c/z?v=2']],
    ['with keys of an API', ['http://a/x?apikey=4f9a', 'http://b/y?api_key=77bc', 'http://c/z?appid=12ab']],
    ['with dates', ['http://a/x?from=2024-06-01', 'http://b/y?date=2024-06-02', 'http://c/z?to=2024-06-03']],
    ['with values of the request', ['http://a/u/7', 'http://b/o?user=7', 'http://c/s/7/all']],
  ])('%s', async (_, urls) => {
    expect(await types(gets(urls, 300))).toEqual(['sequential_calls']);
  });

  it.each([
    ['with ids of an earlier answer', ['http://a/me', 'http://b/orders/887', 'http://c/items/4711']],
    ['with keys of an earlier answer', ['http://a/me', 'http://b/u?id=k7f3', 'http://c/p?token=8ac1']],
    ['with names of an earlier answer', ['http://a/me', 'http://b/o?user=alice', 'http://c/p?owner=bob']],
    [
      'with cursors',
      ['http://a/x', 'http://a/x?cursor=abc', 'http://a/x?cursor=def', 'http://a/x?cursor=ghi'],
    ],
  ])('but not %s', async (_, urls) => {
    expect(await types(gets(urls, 300))).toEqual([]);
  });

  it('but not with long gaps between them', async () => {
    const urls = ['http://a/x', 'http://b/y', 'http://c/z'];
    for (const gapMs of [400, 5000]) expect(await types(gets(urls, 40, gapMs))).toEqual([]);
    expect(await types(gets(urls, 40, 10))).toEqual(['sequential_calls']);
    expect(await types(gets(urls, 1000, 300))).toEqual(['sequential_calls']);
  });

  it('also if the last one outlives the request', async () => {
    const recording = new Recording();
    gets(['http://a/x', 'http://b/y', 'http://c/z'], 100)(recording, recording.request('/', 280));
    expect(await analyzed([recording.otlp])).toMatchObject([
      { type: 'sequential_calls', count: 3, totalMs: 280 },
    ]);
  });
});

describe('a few slow calls of one shape could run in parallel', () => {
  const users = each(4, (n) => `http://api/users/${n}`);

  it.each<[string, Record]>([
    ['four of them', gets(users, 2000)],
    ['three of them', gets(users.slice(1), 300)],
    ['with a little work in between', gets(users, 300, 40)],
    [
      'queries with recorded values',
      queries(
        each(4, (n) => ['SELECT * FROM report WHERE id = $1', [`${n}`]]),
        500,
      ),
    ],
    [
      'queries with unknown values',
      queries(
        each(3, () => ['SELECT * FROM report WHERE id = $1']),
        500,
      ),
    ],
    [
      'queries with literals',
      queries(
        each(4, (n) => [`SELECT * FROM report WHERE id = ${n}`]),
        500,
      ),
    ],
  ])('%s', async (_, record) => {
    expect(await types(record)).toEqual(['sequential_calls']);
  });

  it.each<[string, Record]>([
    ['if they are quick', gets(users, 20)],
    ['if there are two', gets(users.slice(2), 2000)],
    [
      'if they are identical',
      gets(
        each(4, () => 'http://api/users/1'),
        500,
      ),
    ],
    [
      'if one takes most of the time',
      (recording, request) => {
        gets(users.slice(0, 2), 50)(recording, request);
        gets(users.slice(2, 3), 2000)(recording, request);
      },
    ],
    ['if they are far apart', gets(users, 150, 2000)],
    [
      'if they ran in parallel',
      (recording, request) => {
        for (const url of users) {
          gets([url], 2000)(recording, request);
          recording.now = 0;
        }
      },
    ],
    [
      'if they are pages',
      gets(
        each(4, (n) => `http://api/users?page=${n}`),
        500,
      ),
    ],
    [
      'if they share a transaction',
      (recording, request) => {
        recording.query(request, 'BEGIN', 1);
        queries(
          each(4, () => ['SELECT * FROM report WHERE id = $1']),
          500,
        )(recording, request);
        recording.query(request, 'COMMIT', 1);
      },
    ],
    [
      'if they write',
      queries(
        each(4, () => ['UPDATE report SET a = 1 WHERE id = $1']),
        500,
      ),
    ],
    [
      'if one failed',
      (recording, request) => {
        gets(users.slice(1), 500)(recording, request);
        recording.work(
          request,
          500,
          { 'http.request.method': 'GET', 'url.full': 'http://api/users/9' },
          { status: { code: 2 } },
        );
      },
    ],
  ])('but not %s', async (_, record) => {
    expect(await types(record)).toEqual([]);
  });
});

describe('an address is read from its parts', () => {
  const parts =
    (list: readonly Plain[], parallel = true): Record =>
    (recording, request) => {
      for (const attributes of list) {
        recording.work(request, 30, { 'http.method': 'GET', ...attributes });
        if (parallel) recording.now = 0;
      }
    };
  const five = ['/users', '/orders', '/stock', '/prices', '/offers'];

  it.each<[string, (path: string) => Plain]>([
    ['http.target', (path) => ({ 'http.target': path, 'net.peer.name': 'api' })],
    ['url.path', (path) => ({ 'url.path': path, 'server.address': 'api' })],
    [
      'url.path and url.query',
      (path) => ({ 'url.path': path, 'url.query': 'a=1', 'server.address': 'api', 'server.port': 8080 }),
    ],
    ['a relative http.url', (path) => ({ 'http.url': path, 'http.host': 'api:80' })],
    ['a whole http.target', (path) => ({ 'http.target': `http://api${path}` })],
  ])('%s', async (_, attributes) => {
    expect(await types(parts(five.map(attributes)))).toEqual([]);
    expect(await types(parts(each(6, (n) => attributes(`/users/${n}`))))).toEqual(['n_plus_one']);
    expect(
      await types(
        parts(
          each(6, () => attributes('/flags')),
          false,
        ),
      ),
    ).toEqual(['duplicate_queries']);
  });
});

describe('a truncated statement is never called identical', () => {
  const cut = `SELECT id, name, ${each(40, (n) => `some_column_${n}`).join(', ')} FROM authors WHERE book_id = 5`;
  it.each([
    'SELECT id, name FROM authors WHERE book_id...',
    'SELECT id, name FROM authors WHERE book_id…',
    'SELECT id, name FROM authors WHERE book_id = 1 ...',
    'SELECT id, name FROM authors WHERE book_id [truncated]',
    'SELECT id, name FROM authors WHERE book_id = 4 (truncated)',
    'SELECT id, name FROM authors WHERE book_id <truncated>',
    'SELECT id, name FROM authors WHERE book_id = 4 /* truncated */',
    'SELECT id, name FROM authors WHERE book_id [...]',
    'SELECT id, name FROM authors WHERE book_id = 4... (120 more characters)',
    'SELECT id, name … WHERE book_id = 4',
    "SELECT id, name FROM authors WHERE name = 'Al",
    'SELECT id, name FROM authors WHERE book_id IN (1, 2',
    'SELECT id, name FROM authors WHERE book_id =',
    'SELECT id, name FROM authors WHERE',
    'SELECT id, name FROM authors, ',
    cut.slice(0, 256),
    cut.slice(0, 512),
    `${cut} `.repeat(3).slice(0, 1023),
    'SELECT id, name FROM authors WHERE book_'.padEnd(40, 'x'),
  ])('%s', async (text) => {
    expect(await types(queries(each(6, () => [text])))).toEqual(['n_plus_one']);
    expect(await types(queries(each(6, () => [text, ['7']])))).toEqual(['n_plus_one']);
  });

  it.each([
    'SELECT id, name FROM authors WHERE book_id = 5',
    "SELECT id FROM authors WHERE name = 'and so on...'",
    "SELECT id FROM authors WHERE name = 'It''s (not) [truncated]'",
    'SELECT count(*) FROM authors;',
    'SELECT id FROM authors WHERE is_active',
    "SELECT id FROM authors ORDER BY name DESC -- that's all",
    cut,
  ])('a whole one is: %s', async (text) => {
    expect(await types(queries(each(6, () => [text])))).toEqual(['duplicate_queries']);
  });
});

describe('statements are compared by all of their values', () => {
  const literal = (n: number): string => `SELECT * FROM track WHERE album_id = ${n}`;
  const mixed = (n: number): string => `SELECT * FROM track WHERE tenant = $1 AND album_id = ${n}`;

  it.each<[string, Record]>([
    ['literals', queries(each(8, (n) => [literal(n)]))],
    ['literals and no bound value', queries(each(8, (n) => [literal(n), []]))],
    ['literals and an equal bound value', queries(each(8, (n) => [mixed(n), ['acme']]))],
    ['bound values and equal literals', queries(each(8, (n) => [mixed(7), [`tenant ${n}`]]))],
    ['bound values', queries(each(8, (n) => ['SELECT * FROM track WHERE album_id = $1', [`${n}`]]))],
    [
      'one bound value of many',
      queries(each(8, (n) => ['SELECT * FROM t WHERE a = $1 AND b = $2', ['1', `${n}`]])),
    ],
    ['strings', queries(each(8, (n) => [`SELECT * FROM t WHERE name = 'n${n}'`, []]))],
    ['unknown values beside literals', queries(each(8, () => [mixed(7)]))],
  ])('that differ by %s', async (_, record) => {
    expect(await types(record)).toEqual(['n_plus_one']);
  });

  it.each<[string, Record]>([
    ['literals', queries(each(8, () => [literal(5)]))],
    ['literals and no bound value', queries(each(8, () => [literal(5), []]))],
    ['literals and bound values', queries(each(8, () => [mixed(5), ['acme']]))],
    ['bound values', queries(each(8, () => ['SELECT * FROM t WHERE a = $1', ['5']]))],
    ['no value at all', queries(each(8, () => ['SELECT * FROM settings']))],
    ['literals below comments of the trace', queries(each(8, (n) => [`/* trace=${n}ab */ ${literal(5)}`]))],
    ['a long list', queries(each(8, () => [`SELECT * FROM t WHERE a IN (${each(9, String).join(', ')})`]))],
  ])('that are identical by %s', async (_, record) => {
    expect(await types(record)).toEqual(['duplicate_queries']);
  });

  it('with ten parameters and more, in the order of their numbers', async () => {
    const text = `SELECT * FROM t WHERE a = $1 AND ${each(9, (n) => `b${n} = $${n + 2}`).join(' AND ')} ORDER BY id LIMIT $11 OFFSET $12`;
    const page = (n: number): Plain =>
      Object.fromEntries(each(12, (at) => [`db.query.parameter.${at}`, at === 11 ? String(n * 20) : '1']));
    expect(
      await types((recording, request) => {
        for (let n = 0; n < 6; n++) recording.query(request, text, 10, {}, page(n));
      }),
    ).toEqual([]);
  });
});

describe('paging is recognized by what differs', () => {
  const posts = (more: string): string =>
    `SELECT * FROM posts WHERE author_id = $1 ORDER BY id LIMIT $2 ${more}`;

  it.each<[string, Record]>([
    ['a parameter of a page that stays', gets(each(8, (n) => `http://api/rooms?room=${n}&start=2024-06-01`))],
    ['the first page of each', gets(each(8, (n) => `http://api/posts?author=${n}&page=1`))],
    ['a constant offset', gets(each(8, (n) => `http://api/posts?author=${n}&offset=0&limit=10`))],
    ['a day each', gets(each(8, (n) => `http://api/rates?start=2024-06-0${n + 1}`))],
    ['page and parent', gets(each(8, (n) => `http://api/posts?author=${n}&page=${n}`))],
    ['the latest of each, with unknown values', queries(each(8, () => [posts('OFFSET $3')]))],
    ['the latest of each', queries(each(8, (n) => [posts('OFFSET $3'), [`${n}`, '5', '0']]))],
    [
      'the latest of each by literals',
      queries(
        each(8, (n) => [`SELECT * FROM posts WHERE author_id = ${n} ORDER BY id DESC LIMIT 5 OFFSET 0`]),
      ),
    ],
    [
      'those since a date of each',
      queries(
        each(8, (n) => [
          'SELECT * FROM posts WHERE author_id = $1 AND created > $2 ORDER BY created LIMIT $3',
          [`${n}`, '2024', '5'],
        ]),
      ),
    ],
  ])('and is not %s', async (_, record) => {
    expect(await types(record)).toEqual(['n_plus_one']);
  });

  it.each<[string, Record]>([
    ['by number', gets(each(8, (n) => `http://api/posts?author=7&page=${n}`))],
    ['by offset', gets(each(8, (n) => `http://api/posts?limit=20&offset=${n * 20}`))],
    ['by start', gets(each(8, (n) => `http://api/posts?start=${n * 20}&end=2024-06-30`))],
    [
      'by cursor, the first of which has none',
      gets(each(8, (n) => `http://api/posts${n === 0 ? '' : `?after=k${n}`}`)),
    ],
    ['in the path', gets(each(8, (n) => `http://api/posts/page/${n}`))],
    ['by bound values', queries(each(8, (n) => [posts('OFFSET $3'), ['7', '20', `${n * 20}`]]))],
    [
      'by literals',
      queries(
        each(8, (n) => [`SELECT * FROM posts WHERE author_id = 7 ORDER BY id LIMIT 20 OFFSET ${n * 20}`]),
      ),
    ],
    [
      'by the last key',
      queries(
        each(8, (n) => [
          'SELECT * FROM posts WHERE author_id = $1 AND id > $2 ORDER BY id LIMIT $3',
          ['7', `${n * 20}`, '20'],
        ]),
      ),
    ],
    [
      'of a whole table, with unknown values',
      queries(each(8, () => ['SELECT * FROM posts ORDER BY id LIMIT $1 OFFSET $2'])),
    ],
  ])('%s', async (_, record) => {
    expect(await types(record)).toEqual([]);
  });
});

describe('a poll is told from a loop with work of its own', () => {
  const job = 'SELECT state FROM job WHERE id = $1';

  it.each<[string, Record]>([
    [
      '15 ms of work between bound statements',
      queries(
        each(12, () => [job]),
        8,
        15,
      ),
    ],
    [
      '40 ms of work between bound statements',
      queries(
        each(12, () => [job]),
        8,
        40,
      ),
    ],
    [
      'work between different values',
      queries(
        each(12, (n) => [job, [`${n}`]]),
        8,
        30,
      ),
    ],
    [
      'work between outgoing calls',
      gets(
        each(8, (n) => `http://api/users/${n}`),
        20,
        30,
      ),
    ],
  ])('a loop with %s', async (_, record) => {
    expect(await types(record)).toEqual(['n_plus_one']);
  });

  it.each<[string, Record]>([
    [
      'bound statement',
      queries(
        each(12, () => [job]),
        8,
        100,
      ),
    ],
    [
      'statement with equal values',
      queries(
        each(12, () => [job, ['7']]),
        8,
        50,
      ),
    ],
    [
      'statement with literals',
      queries(
        each(12, () => ['SELECT state FROM job WHERE id = 7']),
        8,
        50,
      ),
    ],
    [
      'address',
      gets(
        each(12, () => 'http://api/jobs/7'),
        8,
        250,
      ),
    ],
    [
      'statement for what is new',
      queries(
        each(12, (n) => ['SELECT * FROM event WHERE id > $1', [`${n}`]]),
        8,
        200,
      ),
    ],
  ])('a poll by one %s', async (_, record) => {
    expect(await types(record)).toEqual([]);
  });
});

describe('work that outlives its request', () => {
  const rows = (count: number, ms: number, endsAt: number): Recording => {
    const recording = new Recording();
    queries(
      each(count, () => ['SELECT * FROM book WHERE id = $1']),
      ms,
    )(recording, recording.request('/', endsAt));
    return recording;
  };

  it('counts if it began within the request, with its time until then', async () => {
    expect(await analyzed([rows(5, 10, 45).otlp])).toMatchObject([
      { type: 'n_plus_one', count: 5, totalMs: 45 },
    ]);
  });

  it('does not count if it began after the request', async () => {
    expect(await analyzed([rows(12, 10, 40).otlp])).toEqual([]);
  });

  it('does not count without time within the request', async () => {
    const recording = new Recording();
    const request = recording.request('/', 100);
    for (let copy = 0; copy < 8; copy++) {
      recording.now = 95;
      recording.query(request, 'INSERT INTO audit VALUES ($1)', 40);
    }
    expect(await analyzed([recording.otlp])).toEqual([]);
  });
});

describe('statements that are prepared first and executed later', () => {
  const text = 'SELECT * FROM orders WHERE id = ?';
  const prepare = (recording: Recording, request: OtlpSpan, name: string, statement = text): OtlpSpan =>
    recording.query(request, statement, 0.2, { name });
  const execute = (recording: Recording, request: OtlpSpan, name: string, ms = 100): OtlpSpan =>
    recording.work(request, ms, { 'db.system.name': 'postgresql' }, { name });

  it.each([
    ['PDO::prepare', 'PDOStatement::execute'],
    ['mysqli::prepare', 'mysqli_stmt::execute'],
    ['Connection.prepareStatement', 'PreparedStatement.executeQuery'],
    ['sql.conn.prepare', 'sql.stmt.query'],
    ['PREPARE', 'EXECUTE'],
  ])('count by execution: %s and %s', async (one, other) => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 6; copy++) {
      prepare(recording, request, one);
      execute(recording, request, other);
    }
    expect(await analyzed([recording.otlp])).toMatchObject([
      { type: 'n_plus_one', count: 6, totalMs: 600, fingerprint: 'select * from orders where id = ?' },
    ]);
  });

  it('count if prepared once, executed often, with fetches in between', async () => {
    const recording = new Recording();
    const request = recording.request();
    prepare(recording, request, 'PDO::prepare');
    for (let copy = 0; copy < 6; copy++) {
      execute(recording, request, 'PDOStatement::execute', 20);
      execute(recording, request, 'PDOStatement::fetchAll', 5);
    }
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 6, totalMs: 120 }]);
  });

  it('count if they are executed below other spans', async () => {
    const recording = new Recording();
    const request = recording.request();
    prepare(recording, request, 'PDO::prepare');
    for (let copy = 0; copy < 6; copy++) {
      const within = recording.span('load', recording.now, recording.now + 20, {
        parentSpanId: request.spanId,
      });
      execute(recording, within, 'PDOStatement::execute', 20);
    }
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 6 }]);
  });

  it.each<[string, Record]>([
    [
      'three pairs, both with the text',
      (recording, request) => {
        for (let copy = 0; copy < 3; copy++) {
          prepare(recording, request, 'sql.conn.prepare');
          recording.query(request, text, 20, { name: 'sql.stmt.exec' });
        }
      },
    ],
    [
      'three pairs with fetches',
      (recording, request) => {
        for (let copy = 0; copy < 3; copy++) {
          prepare(recording, request, 'PDO::prepare');
          execute(recording, request, 'PDOStatement::execute', 20);
          execute(recording, request, 'PDOStatement::fetch', 20);
        }
      },
    ],
    [
      'pairs of different statements',
      (recording, request) => {
        for (const table of ['a', 'b', 'c', 'd', 'e', 'f']) {
          prepare(recording, request, 'PDO::prepare', `SELECT * FROM ${table} WHERE id = ?`);
          execute(recording, request, 'PDOStatement::execute', 20);
        }
      },
    ],
  ])('are not repeated in %s', async (_, record) => {
    expect(await types(record)).toEqual([]);
  });
});

describe('the repetitions of one loader are one finding', () => {
  it('with the query and those of its relations, which alternate', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let row = 0; row < 10; row++) {
      recording.query(request, 'SELECT * FROM album WHERE id = $1');
      recording.query(request, 'SELECT * FROM artist WHERE album_id = $1');
      recording.query(request, 'SELECT * FROM cover WHERE album_id = $1');
    }
    expect(await analyzed([recording.otlp])).toMatchObject([
      {
        type: 'n_plus_one',
        severity: 'warning',
        count: 10,
        totalMs: 300,
        fingerprint: 'select * from album where id = ?',
        explanation: expect.stringContaining(
          'made 10 sequential copies of SELECT album WHERE id = ?, with 10 of SELECT artist, 10 of SELECT cover, 300 ms in total.',
        ),
      },
    ]);
  });

  it.each<[string, Record]>([
    [
      'loops one after the other',
      queries([
        ...each(8, () => ['SELECT * FROM a WHERE id = $1'] as const),
        ...each(8, () => ['SELECT * FROM b WHERE id = $1'] as const),
      ]),
    ],
    [
      'loops of different length',
      (recording, request) => {
        for (let row = 0; row < 6; row++)
          queries([
            ['SELECT * FROM a WHERE id = $1'],
            ...each(5, () => ['SELECT * FROM b WHERE a_id = $1'] as const),
          ])(recording, request);
      },
    ],
    [
      'queries and outgoing calls',
      (recording, request) => {
        for (let row = 0; row < 6; row++) {
          queries([['SELECT * FROM a WHERE id = $1']])(recording, request);
          gets([`http://api/users/${row}`])(recording, request);
        }
      },
    ],
  ])('but not %s', async (_, record) => {
    expect(await types(record)).toEqual(['n_plus_one', 'n_plus_one']);
  });

  it('is rated by its repetitions and rows, too', async () => {
    const severity = async (count: number, rows: number): Promise<unknown> => {
      const recording = new Recording();
      const request = recording.request('/', 100_000);
      for (let row = 0; row < count; row++)
        recording.query(
          request,
          'SELECT * FROM a WHERE id = $1',
          30 / count,
          {},
          { 'db.response.returned_rows': rows },
        );
      return (await analyzed([recording.otlp])).map((one) => one.severity);
    };
    expect(await severity(10, 1)).toEqual(['info']);
    expect(await severity(20, 1)).toEqual(['warning']);
    expect(await severity(200, 1)).toEqual(['critical']);
    expect(await severity(10, 100)).toEqual(['warning']);
    expect(await severity(10, 5000)).toEqual(['critical']);
  });
});
