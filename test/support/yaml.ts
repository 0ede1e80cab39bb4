import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The parser that @nestjs/swagger depends on. */
const { load } = createRequire(require.resolve('@nestjs/swagger'))('js-yaml') as {
  load(text: string): unknown;
};

/** @throws Error with the line of invalid YAML, such as a duplicate key */
export function readYaml<T>(path: string): T {
  return load(readFileSync(path, 'utf8')) as T;
}
