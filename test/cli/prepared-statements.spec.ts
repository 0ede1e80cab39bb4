import { describe, expect, it } from '@jest/globals';
import { analyzed, runCli } from './support/analyzing.js';
import { type OtlpSpan, Recording } from './support/recording.js';

const TEXT = 'SELECT * FROM orders WHERE id = ?';

const prepare = (recording: Recording, parent: OtlpSpan, text = TEXT, ms = 10): OtlpSpan =>
  recording.query(parent, text, ms, { name: 'PDO::prepare' });
const execute = (recording: Recording, parent: OtlpSpan, ms = 100): OtlpSpan =>
  recording.work(parent, ms, { 'db.system.name': 'postgresql' }, { name: 'PDOStatement::execute' });
const within = (recording: Recording, parent: OtlpSpan): OtlpSpan =>
  recording.span('load', recording.now, recording.now + 5000, { parentSpanId: parent.spanId });

describe('a statement that is prepared several times', () => {
  it('counts by its executions, wherever it was prepared', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 3; copy++) prepare(recording, within(recording, request));
    for (let copy = 0; copy < 6; copy++) execute(recording, within(recording, request));
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 6, totalMs: 600 }]);
  });

  it('counts by its executions, if it was prepared beside each other', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 3; copy++) prepare(recording, request);
    for (let copy = 0; copy < 6; copy++) execute(recording, request);
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 6, totalMs: 600 }]);
  });

  it('with other literals is no identical query', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (const kind of ['a', 'b'])
      prepare(recording, within(recording, request), `SELECT * FROM orders WHERE kind = '${kind}'`);
    for (let copy = 0; copy < 6; copy++) execute(recording, within(recording, request));
    expect(await analyzed([recording.otlp])).not.toContainEqual(
      expect.objectContaining({ type: 'identical_queries' }),
    );
  });

  it('is not judged beside another one, as it is not certain which of them is executed', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (const table of ['orders', 'users'])
      prepare(recording, request, `SELECT * FROM ${table} WHERE id = ?`);
    for (let copy = 0; copy < 6; copy++) execute(recording, request);
    const { stdout, stderr } = await runCli(['analyze', '-'], JSON.stringify(recording.otlp));
    expect(stdout).not.toContain('n_plus_one');
    expect(stderr).toContain('6 database spans of music without a statement');
  });

  it('is judged again once a single one was prepared', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (const table of ['orders', 'users'])
      prepare(recording, request, `SELECT * FROM ${table} WHERE id = ?`);
    execute(recording, request);
    prepare(recording, request);
    for (let copy = 0; copy < 6; copy++) execute(recording, request);
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 6, totalMs: 600 }]);
  });
});
