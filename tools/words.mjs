// Finds words that the project's English avoids. Comments, texts and names count alike: `wasToldLater` holds "told".
// Prints `file:line: word` of the given files and folders, by default of all that users and contributors read;
// with `--files` the names of the files alone.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const AVOIDED = [
  'tells?|telling|told',
  'company',
  'anew',
  'mend(?:s|ed|ing)?',
  'look(?:s|ed|ing)? on',
  'hand(?:s|ed|ing)? on',
  'of late',
  'that there are',
  'usual(?:ly)?',
  'forget(?:s|ting)?|forgot(?:ten)?',
  'lets? in|letting in',
  'whoever',
  'at the most',
  'no harm',
];
/** A phrase goes on across the lines of a comment or a quotation. */
const GAP = '[\\s*/_>-]+';
const PATTERN = new RegExp(`(?<![a-z])(?:${AVOIDED.join('|').replaceAll(' ', GAP)})(?![a-z])`, 'gi');

const ROOTS = ['lib', 'sample-app', 'docs', 'deploy', '.github', '.'];
const READ = /\.(?:tsx?|css|html|md|ya?ml)$/;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const given = process.argv.slice(2).filter((argument) => argument !== '--files');
const found = [...new Set((given.length > 0 ? given : ROOTS).flatMap(filesOf))].sort().flatMap(violationsIn);
const lines = process.argv.includes('--files')
  ? [...new Set(found.map(({ file }) => file))]
  : found.map(({ file, line, word }) => `${file}:${line}: ${word}`);
process.stdout.write(lines.map((line) => `${line}\n`).join(''));
if (found.length > 0) process.exitCode = 1;

/** The root of the repository counts with its own files alone. */
function filesOf(path) {
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path, { recursive: path !== '.', withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && READ.test(entry.name))
    .map(({ parentPath, name }) => (parentPath === '.' ? name : `${parentPath}/${name}`))
    .filter((file) => !/(?:^|\/)(?:dist|node_modules)\//.test(file));
}

function violationsIn(file) {
  const words = readFileSync(file, 'utf8').replace(/([a-z0-9])(?=[A-Z])/g, '$1 ');
  return [...words.matchAll(PATTERN)].map(({ 0: word, index }) => ({
    file,
    line: words.slice(0, index).split('\n').length,
    word: word.replace(new RegExp(GAP, 'g'), ' '),
  }));
}
