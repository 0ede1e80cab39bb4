// The simulated courses of the tests, compiled from TypeScript into a folder.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

export async function loadCourses() {
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-courses-'));
  try {
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    for (const name of ['leak-courses', 'leak-random-courses']) {
      const source = await readFile(new URL(`../../test/resources/${name}.ts`, import.meta.url), 'utf8');
      const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
      await writeFile(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
    }
    const load = (name) => import(pathToFileURL(join(folder, name)));
    return { ...(await load('leak-courses.js')), ...(await load('leak-random-courses.js')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
