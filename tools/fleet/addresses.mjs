// The files of deploy/ with the addresses of this run. Nothing else of them is changed.

/** `HOST:PORT` of a service of compose.yaml, of localhost, or of all interfaces. */
const ADDRESS = /(?<![\w.-])(?:0\.0\.0\.0|localhost|[a-z][a-z-]*[a-z]):\d{4,5}\b/g;

/**
 * Replaces each key by its value, wherever it stands as a whole word.
 * @param {string} text
 * @param {Record<string, string>} replacements addresses and paths
 * @throws Error if a key does not occur, and if an address remains
 */
export function replaceAddresses(text, replacements) {
  let replaced = text;
  const done = [];
  for (const [from, to] of Object.entries(replacements)) {
    const pattern = new RegExp(`(?<![\\w.-])${escapeForRegExp(from)}(?![\\w-])`, 'g');
    if (!pattern.test(replaced)) throw new Error(`Nothing to replace: "${from}" does not occur`);
    // A placeholder, so that no replacement is replaced by a later one.
    replaced = replaced.replace(pattern, () => `\0${done.length}\0`);
    done.push(to);
  }
  const [remaining] = withoutComments(replaced).match(ADDRESS) ?? [];
  if (remaining !== undefined) throw new Error(`Not replaced: the address "${remaining}" remains`);
  return replaced.replace(/\0(\d+)\0/g, (_, index) => done[index]);
}

function escapeForRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function withoutComments(text) {
  return text.replace(/(^|\s)#.*$/gm, '$1');
}
