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
      'an array',
      `[${good}]`,
      'stdin:1: Invalid OTLP trace export: received an array, expected an object with "resourceSpans"\n',
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
    ['protobuf', Buffer.from([10, 200, 3, 10]), 'stdin:2: Expected a value, found "\ufffd\\u0003"\n'],
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
    expect(await found(copies(attributes))).toEqual({
      stderr:
        '6 database spans of music without a statement: repetitions cannot be detected. Configure its instrumentation to record db.query.text.\n',
      findings: [],
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
    const { code, stderr } = await runCli(
      ['analyze', '-'],
      JSON.stringify(otlpOf([...bad, ...broken, request], 'music')),
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

  it('report spans outside of incoming requests', async () => {
    const recording = new Recording();
    recording.span('job', 0, 10);
    const { code, stderr } = await runCli(['analyze', '-'], JSON.stringify(recording.otlp));
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'No request among 1 span: only work within a SERVER or CONSUMER span is analyzed\n',
    });
  });
});
