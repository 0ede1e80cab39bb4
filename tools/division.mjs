// Divides the modules of the package into files: a few that each start loads, and one for each module that sources import
// dynamically. esbuild's own division makes a file of each set of modules that the same dynamic imports share: dozens of a few
// kilobytes, whose opening takes a sixth of the time that the package takes to load.
import { join, relative } from 'node:path';
import { build } from 'esbuild';

/** They share their files, so that a class is the same in all of them. */
const ENTRY_POINTS = { index: 'index.js', 'testing/index': 'testing/index.js' };
/** Has what the files on demand import from those of a start. */
const INTERNALS = 'internals.js';

/**
 * @param modules the folder of all modules
 * @param options esbuild's, for all files
 * @returns `files`, the text of each and the paths of its modules by its path in the folder of the package, and `onDemand`, the
 * paths of those that others import, which stand in place of what leads there
 */
export async function divide(modules, options) {
  const common = {
    ...options,
    absWorkingDir: modules,
    outdir: modules,
    bundle: true,
    write: false,
    metafile: true,
  };
  const bundled = ({ entryPoints, plugins }) =>
    build({ ...common, entryPoints, plugins: [...plugins, ...options.plugins] });
  const { later, shared } = await graphOf(bundled);
  await checkNames(shared, bundled);
  const atStart = await bundled({
    entryPoints: { ...ENTRY_POINTS, internals: INTERNALS },
    plugins: [internals(modules, shared), separate(modules, later)],
  });
  const onDemand = await bundled({ entryPoints: [...later], plugins: [fromInternals(modules, shared)] });
  const files = new Map([...filesOf(modules, atStart), ...filesOf(modules, onDemand)]);
  return { files, onDemand: [INTERNALS, ...later] };
}

/** The command, a process of its own, has copies of the modules that it uses: it starts sooner than with all of them. */
export async function bundleCommand(modules, options) {
  const bundled = await build({
    ...options,
    absWorkingDir: modules,
    entryPoints: { 'cli/main': 'cli/main.js' },
    chunkNames: 'cli/[name]-[hash]',
    outdir: modules,
    bundle: true,
    write: false,
    metafile: true,
  });
  return filesOf(modules, bundled);
}

/** Which modules are loaded after a start, and those of a start that they import. */
async function graphOf(bundled) {
  const { metafile } = await bundled({ entryPoints: Object.values(ENTRY_POINTS), plugins: [] });
  const { inputs } = metafile;
  const imported = (path, kind) =>
    inputs[path].imports.filter((one) => one.kind === kind && !one.external).map((one) => one.path);
  const reached = (paths) => {
    const all = new Set(paths);
    for (const path of all) for (const next of imported(path, 'import-statement')) all.add(next);
    return all;
  };
  const start = reached(Object.values(ENTRY_POINTS));
  const later = new Set([...start].flatMap((path) => imported(path, 'dynamic-import')));
  const isOwn = (path) => !path.startsWith('..');
  const shared = [...reached(later)]
    .filter((path) => !start.has(path))
    .flatMap((path) => imported(path, 'import-statement'))
    .filter((path) => start.has(path) && isOwn(path));
  return { later, shared: new Set(shared) };
}

/** Of a name that two modules export, `export *` has neither. */
async function checkNames(paths, bundled) {
  const { metafile } = await bundled({ entryPoints: [...paths], plugins: [] });
  const known = new Map();
  for (const path of paths) {
    for (const name of metafile.outputs[path].exports) {
      const other = known.get(name);
      if (other !== undefined)
        throw new Error(`${other} and ${path} both export ${name}: rename one of them`);
      known.set(name, path);
    }
  }
}

const pathIn = (modules, { resolveDir, path }) =>
  relative(modules, join(resolveDir, path)).replaceAll('\\', '/');

function internals(modules, shared) {
  return {
    name: 'internals',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^internals\.js$/ }, ({ path }) => ({ path, namespace: 'internals' }));
      onLoad({ filter: /.*/, namespace: 'internals' }, () => ({
        contents: Array.from(shared, (path) => `export * from './${path}';\n`).join(''),
        resolveDir: modules,
      }));
    },
  };
}

/** Leaves dynamic imports as they are. */
function separate(modules, later) {
  return {
    name: 'separate',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, (imported) => {
        const path = pathIn(modules, imported);
        return imported.kind === 'dynamic-import' && later.has(path) ? { path, external: true } : undefined;
      });
    },
  };
}

/** Imports what a start has loaded. */
function fromInternals(modules, shared) {
  return {
    name: 'from-internals',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, (imported) =>
        shared.has(pathIn(modules, imported)) ? { path: INTERNALS, external: true } : undefined,
      );
    },
  };
}

function filesOf(modules, { outputFiles, metafile }) {
  return outputFiles.map(({ path, text }) => {
    const name = relative(modules, path).replaceAll('\\', '/');
    const { inputs } = metafile.outputs[name];
    const paths = Object.keys(inputs).filter((input) => inputs[input].bytesInOutput > 0);
    return [name, { text, paths: paths.map((input) => join(modules, input)) }];
  });
}
