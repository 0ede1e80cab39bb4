import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { runCli } from './support/analyzing.js';
import { copies, found, one, SQL } from './support/copies.js';
import { otlpOf, Recording } from './support/recording.js';

describe('invalid input', () => {
  const good = copies(SQL);
  const pretty = JSON.stringify(JSON.parse(good), null, 2);
  const line = (needle: string): number => pretty.slice(0, pretty.indexOf(needle)).split('\n').length;

  it.each([
    ['nothing', '', 'stdin: contains no spans\nNothing to analyze: no spans were read\n'],
    [
      'an export of nothing',
      '{"resourceSpans":[]}',
      'stdin: contains no spans\nNothing to analyze: no spans were read\n',
    ],
    ['something behind the end', `${good}\n${good}\n}`, "stdin:3: Expected a value, found '}'\n"],
    [
      'a truncated line',
      `${good}\n${good.slice(0, -50)}`,
      'stdin:2: the file ends within a value that began in line 2\n',
    ],
    [
      'a fault within a line',
      `${good}\n${good.replace('"spanId":', '"spanId"')}`,
      /^stdin:2: Expected ':', found '"'\n$/,
    ],
    [
      'a fault in a printed file',
      pretty.replace('"startTimeUnixNano": ', ''),
      `stdin:${line('"startTimeUnixNano"')}: Expected ':', found ','\n`,
    ],
    [
      'another object',
      '{"traces": [], "x": 1}',
      'stdin:1: Invalid OTLP trace export: received an object with "traces", "x", expected "resourceSpans"\n',
    ],
    [
      'an empty object',
      `${good}\n{}`,
      'stdin:2: Invalid OTLP trace export: received an object with nothing, expected "resourceSpans"\n',
    ],
    [
      'an array of values',
      '[\n7]',
      'stdin:2: Invalid OTLP trace export: received a number, expected an object with "resourceSpans"\n',
    ],
    [
      'spans of another shape',
      '{"resourceSpans": {}}',
      'stdin:1: Invalid "resourceSpans": received an object, expected an array\n',
    ],
    [
      'scopes of another shape',
      '{"resourceSpans": [\n{"scopeSpans": 5}]}',
      'stdin:2: Invalid "scopeSpans": received a number, expected an array\n',
    ],
    [
      'elements of another shape',
      '{"resourceSpans": [\n7]}',
      'stdin:2: Invalid element of "resourceSpans": received a number, expected an object\n',
    ],
    [
      'a broken gzip',
      Buffer.from([0x1f, 0x8b, 8, 0, 0]),
      'stdin: Invalid gzip data: unexpected end of file\n',
    ],
  ])('%s', async (_, input, message) => {
    const { code, stdout, stderr } = await runCli(['analyze', '-'], input);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    if (typeof message === 'string') expect(stderr).toBe(message);
    else expect(stderr).toMatch(message);
  });
});

describe('warnings about ignored data', () => {
  it('name database spans without a statement', async () => {
    const attributes = { 'db.system': 'postgresql', 'db.operation': 'SELECT' };
    const judged = { 'db.system': 'postgresql', 'db.statement': 'SELECT * FROM flag' };
    expect(await found(`${copies(attributes)}\n${copies(judged)}`)).toEqual({
      ...one({ type: 'duplicate_queries' }),
      stderr:
        '6 database spans of music without a statement: repetitions cannot be detected. Configure its instrumentation to record db.query.text.\n',
    });
  });

  it('name outgoing calls without an address', async () => {
    const attributes = { 'http.method': 'GET', 'net.peer.name': 'users' };
    expect(await found(`${copies(attributes)}\n${copies(SQL)}`)).toEqual({
      ...one(),
      stderr:
        '6 outgoing calls of music without an address: repetitions cannot be detected. Configure its instrumentation to record url.full.\n',
    });
  });

  it('count invalid spans', async () => {
    const bad = [5, null, {}, { traceId: 'x', spanId: 'y' }];
    const recording = new Recording();
    const request = recording.request();
    const broken = [
      { ...request, spanId: '0000000000000000' },
      { ...request, endTimeUnixNano: '1' },
      { ...request, startTimeUnixNano: 'soon' },
      { ...request, startTimeUnixNano: undefined },
    ];
    recording.query(request, 'SELECT * FROM track');
    const { code, stderr } = await runCli(
      ['analyze', '-'],
      JSON.stringify(otlpOf([...bad, ...broken, ...recording.spans], 'music')),
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: '8 spans ignored: missing ids or times, or an end before the start\n',
    });
  });

  it('count exports of other signals', async () => {
    const text = `{"resourceLogs":[]}\n${copies(SQL)}\n{"resourceMetrics":[{"x":[]}]}`;
    expect(await found(text)).toEqual({
      ...one(),
      stderr: '2 exports of logs, metrics or profiles ignored\n',
    });
  });

  it('count spans whose attributes are no array', async () => {
    const object = copies(SQL, (span) => ({ ...span, attributes: { 'db.system.name': 'postgresql' } }));
    expect(await found(`${object}\n${copies(SQL)}`)).toEqual({
      ...one(),
      stderr:
        '7 spans ignored: received attributes that are no array, expected [{ "key": …, "value": { … } }]\n',
    });
  });

  it('count spans outside of incoming requests', async () => {
    const job = new Recording('worker');
    job.query(job.span('job', 0, 10), 'SELECT * FROM track');
    expect(await found(`${JSON.stringify(job.otlp)}\n${copies(SQL)}`)).toEqual({
      ...one(),
      stderr: '2 spans of worker not analyzed: they belong to no request, or it is not certain to which\n',
    });
  });
});

describe('input of which nothing can be judged fails', () => {
  const request = new Recording();
  request.request();
  const refused = async (text: string): Promise<string> => {
    const { code, stdout, stderr } = await runCli(['analyze', '--fail-on', 'never', '-'], text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr.trim().split('\n').at(-1) as string;
  };

  it.each(['SPAN_KIND_INTERNAL', 'SPAN_KIND_CLIENT', 'SPAN_KIND_UNSPECIFIED', undefined])(
    'as its roots are of kind %s',
    async (kind) => {
      const text = copies(SQL, (span) => (span['parentSpanId'] === undefined ? { ...span, kind } : span));
      expect(await refused(text)).toBe(
        'Nothing to analyze: no request among 7 spans. Only work within a span of kind SERVER or CONSUMER is analyzed',
      );
    },
  );

  it('as its root is missing', async () => {
    const { resourceSpans } = JSON.parse(copies(SQL)) as {
      resourceSpans: [{ scopeSpans: [{ spans: { parentSpanId?: string }[] }] }];
    };
    const [{ scopeSpans }] = resourceSpans;
    scopeSpans[0].spans = scopeSpans[0].spans.filter(({ parentSpanId }) => parentSpanId !== undefined);
    expect(await refused(JSON.stringify({ resourceSpans }))).toContain('no request among 6 spans');
  });

  it('as all attributes are objects', async () => {
    expect(await refused(copies(SQL, (span) => ({ ...span, attributes: {} })))).toBe(
      'Nothing to analyze: no spans were read',
    );
  });

  it.each([
    ['no statement is recorded', { 'db.system': 'postgresql', 'db.operation': 'SELECT' }],
    ['no address is recorded', { 'http.method': 'GET', 'net.peer.name': 'users' }],
  ])('as %s', async (_, attributes) => {
    expect(await refused(copies(attributes))).toBe(
      'Nothing to analyze: none of the work within requests could be judged',
    );
  });

  it('but not a request without work', async () => {
    const { code, stdout, stderr } = await runCli(['analyze', '-'], JSON.stringify(request.otlp));
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });
});

describe('another format is named with the way to convert it', () => {
  const zipkin = {
    traceId: '5af7651916cd43dd8448eb211c80319c',
    id: '00f067aa0ba902b7',
    kind: 'CLIENT',
    name: 'get',
    timestamp: 1_700_000_000_000_000,
    duration: 10_000,
  };
  const utf16 = Buffer.from(copies(SQL), 'utf16le');
  const zstd = [0x28, 0xb5, 0x2f, 0xfd, 4, 0, 1];
  const otlpProtobuf = Buffer.from([10, 200, 3, 10, 32, 10, 30, 10, 12, ...Buffer.from('service.name')]);

  it.each<[string, string | Buffer, string]>([
    [
      'Zipkin',
      JSON.stringify([zipkin]),
      'spans of Zipkin, expected OTLP JSON. Convert them with the zipkin receiver',
    ],
    ['traces of Zipkin', JSON.stringify([[zipkin]]), 'spans of Zipkin'],
    ['lines of Zipkin', JSON.stringify(zipkin), 'spans of Zipkin'],
    ['protobuf', otlpProtobuf, 'binary data such as OTLP protobuf, expected OTLP JSON. Set "format: json"'],
    ['protobuf behind its length', Buffer.from([0, 0, 1, 44, ...otlpProtobuf]), 'binary data'],
    ['gzipped protobuf', gzipSync(otlpProtobuf), 'binary data'],
    [
      'zstd',
      Buffer.from(zstd),
      'zstd-compressed data, expected plain or gzipped JSON. Convert it with "zstd -d FILE"',
    ],
    ['zstd behind its length', Buffer.from([0, 0, 1, 44, ...zstd]), 'zstd-compressed data'],
    ['lz4', Buffer.from([4, 0x22, 0x4d, 0x18, 0, 0]), 'lz4-compressed data'],
    [
      'UTF-16',
      Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]),
      'UTF-16 text, expected UTF-8. Convert it with "iconv -f UTF-16 -t UTF-8 FILE"',
    ],
    ['UTF-16 without a mark', utf16, 'UTF-16 text'],
    ['big-endian UTF-16', Buffer.from(utf16).swap16(), 'UTF-16 text'],
  ])('%s', async (_, input, message) => {
    const { code, stdout, stderr } = await runCli(['analyze', '-'], input);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^stdin(?::1)?: Invalid trace file: received /);
    expect(stderr).toContain(message);
  });
});
