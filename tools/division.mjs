// Divides the modules of the package into files: a few that each start loads, and one for each module that sources import
// dynamically. esbuild's own division makes a file of each set of modules that the same dynamic imports share: dozens of a few
// kilobytes, whose opening takes a sixth of the time that the package takes to load.
import { join, relative } from 'node:path';
import { build } from 'esbuild';

/** They share their files, so that a class is the same in all of them. */
export const ENTRY_POINTS = { index: 'index.js', 'testing/index': 'testing/index.js' };
/** Has what the files on demand import from those of a start. */
const INTERNALS = 'internals.js';
// As esbuild calls them.
const STATIC = 'import-statement';
const DYNAMIC = 'dynamic-import';

/**
 * @param modules the folder of all modules
 * @param options esbuild's, for all files
 * @returns `files`: by the path in the folder of the package, its text and the paths of the modules in it; and `onDemand`: the
 * paths of files that others import by them, as if they lay in the same folder
 */
export async function divide(modules, options) {
  const common = {
    ...options,
    absWorkingDir: modules,
    outdir: modules,
    outbase: modules,
    bundle: true,
    write: false,
    metafile: true,
  };
  const bundled = ({ entryPoints, plugins }) =>
    build({ ...common, entryPoints, plugins: [...plugins, ...options.plugins] });
  const { start, later, shared } = await graphOf(bundled);
  await checkNames(shared, bundled);
  const atStart = await bundled({
    entryPoints: { ...ENTRY_POINTS, internals: INTERNALS },
    plugins: [internals(modules, shared), separate(modules, later)],
  });
  const onDemand = await bundled({ entryPoints: [...later], plugins: [fromInternals(modules, shared)] });
  checkCopies(start, onDemand.metafile);
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
    outbase: modules,
    bundle: true,
    write: false,
    metafile: true,
  });
  return filesOf(modules, bundled);
}

/** The modules that a start loads, those that are loaded later, and what these import of the first. */
async function graphOf(bundled) {
  const { metafile } = await bundled({ entryPoints: Object.values(ENTRY_POINTS), plugins: [] });
  const { inputs } = metafile;
  const imported = (paths, ...kinds) =>
    [...paths].flatMap((path) =>
      inputs[path].imports.filter(({ kind, external }) => kinds.includes(kind) && !external),
    );
  const reached = (paths, ...kinds) => {
    const all = new Set(paths);
    for (const path of all) for (const next of imported([path], ...kinds)) all.add(next.path);
    return all;
  };
  const start = reached(Object.values(ENTRY_POINTS), STATIC);
  const later = new Set(imported(start, DYNAMIC).map(({ path }) => path));
  const after = [...reached(later, STATIC, DYNAMIC)].filter((path) => !start.has(path));
  const shared = imported(after, STATIC).filter(({ path }) => start.has(path) && isOwn(path));
  return { start, later, shared: new Set(shared.map(({ path }) => path)) };
}

/** Whether a module is the package's own, not part of another one. */
const isOwn = (path) => !path.startsWith('..');

/** A module that is loaded at a start and later would have its state twice. */
function checkCopies(start, { inputs }) {
  const copied = Object.keys(inputs).filter((path) => isOwn(path) && start.has(path));
  if (copied.length > 0) throw new Error(`There would be a second copy of ${copied.join(', ')}`);
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
        return imported.kind === DYNAMIC && later.has(path) ? { path, external: true } : undefined;
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
