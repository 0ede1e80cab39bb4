import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../packaging/processes';

const repository = join(__dirname, '../..');

describe('the public API', () => {
  it('is what api/ records: npm run api updates it', async () => {
    const { code, stdout } = await run(process.execPath, ['tools/api-report.mjs'], repository);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  }, 60_000);
});
