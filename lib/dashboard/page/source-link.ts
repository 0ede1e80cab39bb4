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
  const path = file.split('/').map(encodeURIComponent).join('/');
  return template
    .replaceAll('{line}', String(line))
    .replaceAll('{column}', String(column))
    .replaceAll('{file}', () => path);
}
