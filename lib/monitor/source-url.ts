import { basename } from 'node:path';
import type { Check } from '../validation/checks.js';

const MAX = 500;
/** Programs and forges that open a file. Anything else, such as `javascript:`, could run code in the page. */
const SCHEMES = 'https?|vscode|vscode-insiders|vscodium|cursor|windsurf|zed|jetbrains|idea|webstorm';
const TEMPLATE = new RegExp(`^(?:${SCHEMES})://[^\\s"'<>\\\\]+$`);
const PLACEHOLDERS = new Set(['{file}', '{line}', '{column}', '{commit}']);

/** Templates of editors on the machine that runs the application. */
const EDITORS: ReadonlyMap<string, () => string> = new Map([
  ['vscode', () => `vscode://file${workingDirectory()}/{file}:{line}:{column}`],
  ['cursor', () => `cursor://file${workingDirectory()}/{file}:{line}:{column}`],
  [
    'jetbrains',
    () =>
      `jetbrains://web-storm/navigate/reference?project=${encodeURIComponent(basename(process.cwd()))}&path={file}:{line}:{column}`,
  ],
]);

export const sourceUrl: Check = {
  allowed:
    'vscode, cursor, jetbrains, or an address with {file}, such as https://github.com/owner/repository/blob/{commit}/{file}#L{line}',
  accepts: (value) => typeof value === 'string' && (EDITORS.has(value) || isTemplate(value)),
};

function isTemplate(text: string): boolean {
  const placeholders: readonly string[] = text.match(/\{[^}]*\}/g) ?? [];
  return (
    text.length <= MAX &&
    TEMPLATE.test(text) &&
    placeholders.includes('{file}') &&
    placeholders.every((one) => PLACEHOLDERS.has(one))
  );
}

/**
 * The template of addresses of lines, with the placeholders `{file}`, `{line}` and `{column}`.
 * @param given an accepted value of the option
 * @param commit the commit of the running code; `HEAD` if it is not known
 */
export function sourceTemplate(given: string, commit = 'HEAD'): string {
  const template = EDITORS.get(given)?.() ?? given;
  return template.replaceAll('{commit}', () => encodeURIComponent(commit));
}

function workingDirectory(): string {
  const parts = process.cwd().split(/[\\/]/).map(encodeURIComponent);
  // A drive keeps its colon: `/C:/shop`.
  const path = parts.join('/').replace(/^([A-Za-z])%3A/, '/$1:');
  return path === '/' ? '' : path;
}
