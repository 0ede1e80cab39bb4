import { expect } from '@jest/globals';
import { runCli } from './analyzing.js';
import { type attributesOf, otlpOf, Recording } from './recording.js';

/** An N+1 of six copies with these attributes. */
export function copies(
  attributes: Parameters<typeof attributesOf>[0],
  change: (span: Record<string, unknown>) => Record<string, unknown> = (span) => span,
): string {
  const recording = new Recording();
  const request = recording.request();
  for (let copy = 0; copy < 6; copy++) recording.work(request, 10, attributes);
  return JSON.stringify(otlpOf(recording.spans.map(change), 'music'));
}

export const SQL = {
  'db.system.name': 'postgresql',
  'db.query.text': 'SELECT * FROM track WHERE album_id = $1',
};
/** The findings in a text, and the output on stderr. */
export async function found(text: string | Buffer): Promise<unknown> {
  const { stdout, stderr } = await runCli(['analyze', '-'], text);
  return { stderr, findings: stdout === '' ? undefined : JSON.parse(stdout) };
}

/** The result of {@link found} for {@link copies}. */
export const one = (more: object = {}): object => ({
  stderr: '',
  findings: [expect.objectContaining({ count: 6, totalMs: 60, ...more })],
});
