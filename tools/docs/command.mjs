import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** What the command says of itself: its help, and that of each of its commands. */
export function commandHelp(root) {
  const help = (...args) =>
    execFileSync(process.execPath, [resolve(root, 'dist/cjs/cli/main.js'), ...args, '--help'], {
      encoding: 'utf8',
    });
  const general = help();
  const names = [...general.split('Options:')[0].matchAll(/^ {2}(\w+) {2}/gm)].map(([, name]) => name);
  if (names.length === 0) throw new Error('nestjs-performance --help lists no commands');
  return [block(general), ...names.map((name) => `## ${name}\n\n${block(help(name))}`)].join('\n\n');
}

const block = (text) => `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
