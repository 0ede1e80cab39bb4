import type { CallSite } from '../../code/call-site.js';

/**
 * The address of a line in the editor or at the forge; undefined for a file outside the working directory.
 * @param template see `endpoint.sourceUrl`
 */
export function sourceLink(
  template: string | undefined,
  { file, line, column }: CallSite,
): string | undefined {
  // Absolute paths arrive without their folders, and `~/` is a path of the server.
  if (template === undefined || /^(?:[/~…]|\.\.|[a-z][a-z+.-]*:)/i.test(file)) return undefined;
  const values: Readonly<Record<string, string>> = {
    file: file.split('/').map(encodeURIComponent).join('/'),
    line: String(line),
    column: String(column),
  };
  return template.replace(/\{(file|line|column)\}/g, (_, name: string) => values[name] ?? '');
}
