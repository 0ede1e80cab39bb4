import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/child-app.js';

/** A line of the application's source. */
export interface Site {
  /** Relative to the repository. */
  readonly file: string;
  readonly line: number;
}

const MARKER = /^(?<code>.*)\/\/ call site: (?<names>[\w -]+)$/;

/** The lines that say `// call site: NAME` at their end, or in the line before. */
export function markedSites(): Map<string, Site[]> {
  const sites = new Map<string, Site[]>();
  const folder = join(ROOT, 'test/causes/app');
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || entry.startsWith('dist')) continue;
    const lines = readFileSync(join(folder, entry), 'utf8').split('\n');
    for (const [index, text] of lines.entries()) {
      const { code = '', names = '' } = MARKER.exec(text)?.groups ?? {};
      const line = code.trim() === '' ? index + 2 : index + 1;
      for (const name of names.split(' ').filter((one) => one !== '')) {
        sites.set(name, [...(sites.get(name) ?? []), { file: `test/causes/app/${entry}`, line }]);
      }
    }
  }
  return sites;
}
