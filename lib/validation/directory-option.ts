import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from './checks.js';
import { type Option, option } from './option-table.js';

/** A directory that is by default one of this user's: nobody else may read or write there. */
export function directoryOption(content: string): Option {
  return option(text, {
    default: () => join(tmpdir(), `nestjs-performance-${content}-${process.getuid?.() ?? 'user'}`),
    defaultText: 'a directory of this user in the directory for temporary files',
  });
}

/** The same directory after the working directory has changed. */
export function withAbsoluteDirectory<Options extends { readonly directory: string }>(
  options: Options,
): Options {
  return { ...options, directory: resolve(options.directory) };
}
