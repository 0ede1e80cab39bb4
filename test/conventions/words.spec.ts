import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../packaging/processes';

const repository = join(__dirname, '../..');

/** `file:line: word` for each word found. */
async function wordsIn(...paths: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(process.execPath, ['tools/words.mjs', ...paths], repository);
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

describe('words that the project avoids', () => {
  it('are in no file', async () => {
    expect(await wordsIn()).toEqual([]);
  });

  it('are found in comments, texts and names, whatever their case', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-words-'));
    const file = join(folder, 'text.ts');
    const texts: Record<string, string[]> = {
      '// whom it tells': ['tells'],
      "log('It is told anew');": ['told', 'anew'],
      'const wasToldLater = OWN_TOLD;': ['Told', 'TOLD'],
      'state.handOn(now);': ['hand On'],
      looks_on: ['looks on'],
      '/* pages that look\n * on */': ['look on'],
      'Whoever mends what is usually forgotten': ['Whoever', 'mends', 'usually', 'forgotten'],
      'until one lets in': ['lets in'],
      'Alerts of late: 20 at the most': ['of late', 'at the most'],
      'a retelling of unusual recommendations that amend companies': [],
      'a handler looks it up on time, at most 20 late ones': [],
      'emitter.hand(on); looks.on(1)': [],
    };
    try {
      for (const [text, words] of Object.entries(texts)) {
        writeFileSync(file, `\n${text}\n`);
        expect(await wordsIn(folder)).toEqual(words.map((word) => `${file}:2: ${word}`));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
