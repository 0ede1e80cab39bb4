// The licenses of packages that a bundle contains, which ask to be kept with their code.
import { readdirSync, readFileSync } from 'node:fs';

/** The folder of the innermost package that a file is in. */
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** @param paths the files in the bundle */
export function licensesOf(paths) {
  const folders = new Set(paths.flatMap((path) => PACKAGE.exec(path.replaceAll('\\', '/')) ?? []));
  const byName = new Map([...folders].map((folder) => [nameOf(folder), folder]));
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
      if (file === undefined) throw new Error(`${name} is bundled and has no license`);
      return `${name}\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
    })
    .join('\n----\n\n');
}

const nameOf = (folder) => folder.slice(folder.lastIndexOf('/node_modules/') + '/node_modules/'.length);
