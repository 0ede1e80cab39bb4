import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '../../support/child-app.js';

/** A line in the source of the application. */
export interface Site {
  /** Relative to the repository. */
  readonly file: string;
  readonly line: number;
}

const MARKER = /^(?<code>.*)\/\/ call site: (?<names>[\w -]+)$/;

/** The lines that end with `// call site: NAME`, or follow such a line. */
export function markedSites(): Map<string, Site[]> {
  const sites = new Map<string, Site[]>();
  const folder = join(ROOT, 'test/causes/app');
  for (const path of sourcesIn(folder)) {
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const [index, text] of lines.entries()) {
      const { code = '', names = '' } = MARKER.exec(text)?.groups ?? {};
      const line = code.trim() === '' ? index + 2 : index + 1;
      for (const name of names.split(' ').filter((one) => one !== '')) {
        sites.set(name, [...(sites.get(name) ?? []), { file: relative(ROOT, path), line }]);
      }
    }
  }
  return sites;
}

/** Skips compiled folders, whose links lead back to the repository. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'dist' ? [] : sourcesIn(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}
