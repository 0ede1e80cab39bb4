import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';

const MAX_README_BYTES = 10_000;
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'bench/README.md',
  'deploy/README.md',
];
const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|(?:src|href|srcset)="([^"]+)"/g;

/** Every Markdown file of the documentation, relative to `root`. */
export function documents(root) {
  const docs = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs'), { recursive: true }) : [];
  const inDocs = docs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name));
  return [...PAGES.filter((name) => existsSync(join(root, name))), ...inDocs.sort()];
}

/** What is wrong with the documents: dead links and anchors, pages that the index does not list, a README that is too long. */
export function documentFaults(root) {
  const files = documents(root);
  const faults = files.flatMap((file) => deadLinks(root, file));
  const size = statSync(join(root, 'README.md')).size;
  if (size > MAX_README_BYTES)
    faults.push(`README.md has ${size} bytes; at most ${MAX_README_BYTES} are allowed`);
  const index = join('docs', 'README.md');
  const listed = new Set(
    linksOf(readFileSync(join(root, index), 'utf8')).map(({ target }) =>
      normalize(join('docs', target.split('#')[0])),
    ),
  );
  for (const file of files)
    if (file.startsWith('docs') && file !== index && !listed.has(file))
      faults.push(`${index} does not link to ${file}`);
  return faults;
}

function deadLinks(root, file) {
  const faults = [];
  for (const { target, line } of linksOf(readFileSync(join(root, file), 'utf8'))) {
    if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(target)) continue;
    const [path, anchor] = target.split('#');
    const aim = path === '' ? join(root, file) : resolve(root, dirname(file), decodeURI(path));
    const where = `${file}:${line} links to ${target}`;
    if (!existsSync(aim)) faults.push(`${where}, which does not exist`);
    else if (relative(root, aim).startsWith('..')) faults.push(`${where}, which is outside the repository`);
    else if (anchor && aim.endsWith('.md') && !anchorsOf(readFileSync(aim, 'utf8')).has(anchor))
      faults.push(`${where}, which has no such heading`);
  }
  return faults;
}

function linksOf(markdown) {
  return proseOf(markdown).flatMap((text, index) =>
    [...text.replace(/`[^`]*`/g, '').matchAll(LINK)].map(([, link, attribute]) => ({
      target: link ?? attribute,
      line: index + 1,
    })),
  );
}

/** The anchors that GitHub gives the headings. */
function anchorsOf(markdown) {
  const anchors = new Set();
  const counts = new Map();
  for (const line of proseOf(markdown)) {
    const [, heading] = /^#{1,6}\s+(.+?)\s*#*$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** The lines of a document; those of code blocks are empty. */
function proseOf(markdown) {
  let fence;
  return markdown.split('\n').map((line) => {
    const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence !== undefined && line.trim() === fence) fence = undefined;
    else if (fence === undefined) return line;
    return '';
  });
}
