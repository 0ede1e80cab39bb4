import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from './checks.js';
import { type Option, option } from './option-table.js';

/** The option of a directory. The default is a directory of the current user in the system's temporary directory. */
export function directoryOption(content: string): Option {
  return option(text, {
    default: () => join(tmpdir(), `nestjs-performance-${content}-${process.getuid?.() ?? 'user'}`),
    defaultText: 'a directory of the current user in the temporary directory',
  });
}

/** The options with an absolute path, which stays the same if the working directory changes. */
export function withAbsoluteDirectory<Options extends { readonly directory: string }>(
  options: Options,
): Options {
  return { ...options, directory: resolve(options.directory) };
}
