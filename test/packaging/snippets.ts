import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './tarball';

/** A fenced block of TypeScript in a Markdown file. */
export interface Snippet {
  /** The Markdown file, and the line of the opening fence. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const OPENING = /^([ \t]*)(`{3,}|~{3,})[ \t]*(?:ts|tsx|mts|cts|typescript)\b/;

/** Every block of TypeScript in a Markdown text. @throws where a block has no end */
export function snippetsIn(markdown: string, file: string): Snippet[] {
  const lines = markdown.split('\n');
  const found: Snippet[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, indent = '', fence] = OPENING.exec(lines[index] ?? '') ?? [];
    if (fence === undefined) continue;
    const start = index + 1;
    do index++;
    while (index < lines.length && lines[index]?.trim() !== fence);
    if (index === lines.length) throw new Error(`${file}:${start}: the block has no closing ${fence}`);
    const text = lines
      .slice(start, index)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    found.push({ file, line: start, text: text.join('\n') });
  }
  return found;
}

/** Every block of TypeScript in README.md, docs/ and deploy/README.md. */
export async function documentedSnippets(): Promise<Snippet[]> {
  const docs = await readdir(join(repository, 'docs'), { recursive: true });
  const files = ['README.md', 'deploy/README.md', ...docs.sort().map((name) => `docs/${name}`)];
  const found = files
    .filter((file) => file.endsWith('.md'))
    .map(async (file) => snippetsIn(await readFile(join(repository, file), 'utf8'), file));
  return (await Promise.all(found)).flat();
}

/** A name for the snippet's source file. With {@link sourceOf} a compiler's message names the line of the Markdown file. */
export function sourceNameOf({ file, line }: Snippet): string {
  return `${file.replace(/\W/g, '-')}-${line}.ts`;
}

/** The snippet at its line of the Markdown file. */
export function sourceOf({ line, text }: Snippet): string {
  return `${'\n'.repeat(line)}${text}\n`;
}
