// Bundles the modules of the build into a few files for each format: opening hundreds of files is most of the time that a
// package takes to load. What sources import dynamically becomes a file of its own, which is read when it is needed. The
// entry points of a format share their files, so that a class is the same in all of them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { minify } from '@swc/core';
import { build, transform } from 'esbuild';
import { bundleCommand, divide, ENTRY_POINTS } from './division.mjs';
import { licensesOf } from './licenses.mjs';
import { MARKER, withMarks } from './mark-code.mjs';

const TYPES = { esm: 'module', cjs: 'commonjs' };
const COMMON = { platform: 'node', target: 'node20' };

/** Its path says whether it is part of a bundle of the application's: it remains a file of its own. */
const separateMarker = {
  name: 'separate-marker',
  setup({ onResolve }) {
    onResolve({ filter: /\/own-code\.js$/ }, () => ({ path: MARKER, external: true }));
  },
};

/** The MCP server with the official SDK and all else that it imports: one file of CommonJS, which both formats load on demand. */
const MCP = 'mcp/mcp-server.js';
const MCP_NUMBER = -2;
/** What reads source maps, in the same way. */
const MAPPINGS = 'code/mappings.js';
const MAPPINGS_NUMBER = -3;
const SHARED = [MCP, MAPPINGS];
const separateShared = {
  name: 'separate-shared',
  setup({ onResolve }) {
    for (const path of SHARED) {
      const filter = new RegExp(`/${basename(path, '.js')}\\.js$`);
      onResolve({ filter }, () => ({ path, external: true }));
    }
  },
};
/** Modules that a process may have only once, as they hold its state. The file has copies of what it imports. */
const STATEFUL = /\b(?:process-wide|meter|own-pauses)\.js$/;

/**
 * Small parts of packages that each start needs: reading all files of the packages would take longer than the rest of it.
 * OpenTelemetry's has a format of which a bundle takes what it uses.
 */
const PARTS = {
  '@opentelemetry/core': '@opentelemetry/core/build/esm/index.js',
  'semver/functions/satisfies.js': 'semver/functions/satisfies.js',
};
const withParts = {
  name: 'with-parts',
  setup({ onResolve }) {
    const { resolve } = createRequire(import.meta.url);
    const filter = new RegExp(`^(?:${Object.keys(PARTS).join('|')})$`);
    onResolve({ filter }, ({ path }) => ({ path: resolve(PARTS[path]), sideEffects: false }));
  },
};

/** The SDK checks forms by a package that is larger than all the rest. No server of ours sends one. */
const withoutFormChecks = {
  name: 'without-form-checks',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/ajv-provider\.js$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: 'export class AjvJsonSchemaValidator {}',
    }));
  },
};

/** Writes the MCP server. `folder` is that of the package's CommonJS format. */
export async function bundleMcp(modules, folder) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    absWorkingDir: modules,
    entryPoints: [MCP],
    bundle: true,
    minify: true,
    // Bundlers follow its calls of `require`.
    format: 'cjs',
    legalComments: 'none',
    write: false,
    metafile: true,
    external: [MARKER],
    plugins: [separateMarker, withoutFormChecks],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const contained = containedIn(inputs);
  const stateful = contained.filter((path) => STATEFUL.test(path));
  if (stateful.length > 0) throw new Error(`${MCP} would have its own copy of ${stateful.join(', ')}`);
  const marker = JSON.stringify(`../${MARKER}`);
  const code = outputFiles[0].text.replaceAll(JSON.stringify(MARKER), marker);
  const licenses = commentOf(licensesOf(contained.map((path) => join(modules, path))));
  write(join(folder, MCP), `${licenses}${executedOnDemand(code, marker)}`);
}

/** Writes what reads source maps. `folder` is that of the package's CommonJS format. */
export async function bundleMappings(modules, folder) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    absWorkingDir: modules,
    entryPoints: [MAPPINGS],
    bundle: true,
    minify: true,
    format: 'esm',
    legalComments: 'none',
    write: false,
    metafile: true,
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const marked = withMarks(outputFiles[0].text, MAPPINGS_NUMBER);
  const marker = specifier(dirname(MAPPINGS), MARKER);
  const code = await shortened(marked.replace(JSON.stringify(MARKER), JSON.stringify(marker)), 'cjs');
  const paths = containedIn(inputs).map((path) => join(modules, path));
  write(join(folder, MAPPINGS), `${licenseCommentOf(paths)}${code}`);
}

const containedIn = (inputs) => Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0);
const commentOf = (licenses) => `/*!\n${licenses.replaceAll('*/', '* /')}*/\n`;

/** The licenses of the packages of which a file of the bundle contains parts; empty if there are none. */
function licenseCommentOf(paths) {
  const licenses = licensesOf(paths);
  return licenses === '' ? '' : commentOf(licenses);
}

/**
 * A module whose code runs when its export is read: at once, so that the pause is known, which that of an import is not. The
 * export is not one that Node finds by reading the text, which it would read while importing.
 */
function executedOnDemand(code, marker) {
  return `"use strict";
const { markOwnCode, placeHere } = require(${marker});
function here() { return placeHere(); }
markOwnCode(${MCP_NUMBER}, here());
let loaded;
Reflect.defineProperty(module.exports, 'McpServer', { enumerable: true, get: () => (loaded ??= load()) });
function load() {
const module = { exports: {} };
${code}return module.exports.McpServer;
}
markOwnCode(${MCP_NUMBER});
`;
}

/** Writes the package of one format. `modules` is the folder of all modules, `folder` that of the package. */
export async function bundle(modules, folder, format) {
  const options = {
    ...COMMON,
    splitting: true,
    format: 'esm',
    packages: 'external',
    legalComments: 'none',
    plugins: [separateMarker, separateShared, withParts],
  };
  const { files, onDemand } = await divide(modules, options);
  if (format === 'cjs')
    for (const [name, file] of await bundleCommand(modules, options)) files.set(name, file);
  files.set(MARKER, { text: readFileSync(join(modules, MARKER), 'utf8'), paths: [] });
  const names = [...files.keys()].sort();
  for (const [number, name] of names.entries()) {
    const { text, paths } = files.get(name);
    const path = join(folder, name);
    let placed = withoutPaths(withoutBareImports(name === MARKER ? text : withMarks(text, number)));
    for (const target of [MARKER, ...onDemand]) {
      placed = placed.replaceAll(
        JSON.stringify(target),
        JSON.stringify(specifier(dirname(path), join(folder, target))),
      );
    }
    for (const shared of SHARED) {
      const target = specifier(dirname(path), join(folder, '../cjs', shared));
      placed = placed.replaceAll(`import(${JSON.stringify(shared)})`, importOf(target, format));
    }
    const written = withClassNames(path, await shortened(placed, format));
    write(path, `${licenseCommentOf(paths)}${written}`);
  }
  write(join(folder, 'package.json'), `${JSON.stringify({ type: TYPES[format] })}\n`);
  const library = Object.values(ENTRY_POINTS);
  if (format === 'esm') {
    for (const file of library) writeSharedTypes(folder, file);
    return;
  }
  for (const file of typesFrom(modules, library)) {
    write(join(folder, file), withoutPrivateComments(readFileSync(join(modules, file), 'utf8')));
  }
}

/** Both formats share one set of declarations, so that a class is the same type in both. */
function writeSharedTypes(folder, file) {
  const types = relative(dirname(join(folder, file)), join(folder, '../cjs', file)).replaceAll('\\', '/');
  write(join(folder, file.replace(/js$/, 'd.ts')), `export * from '${types}';\n`);
}

/** A module gets what a file of CommonJS exports as its default. */
const importOf = (path, format) =>
  `import(${JSON.stringify(path)})${format === 'esm' ? '.then((module) => module.default)' : ''}`;

/**
 * White space and long names within functions are a third of the code, which each installation would download and each start
 * would read. Stacks and profiles have the names of classes and functions, which stay.
 */
async function shortened(text, format) {
  const classes = Array.from(text.matchAll(/\b(\w+) = class\b/g), ([, name]) => name);
  const { code: renamed } = await minify(text, {
    module: true,
    ecma: 2022,
    compress: false,
    mangle: { toplevel: false, keep_classnames: true, keep_fnames: true, reserved: classes },
    format: { comments: false },
  });
  // Bundlers and Jest follow `require`, not the `import()` of a file of CommonJS.
  const asCommonJs = { format: 'cjs', supported: { 'dynamic-import': false }, banner: '"use strict";' };
  const { code } = await transform(renamed, {
    ...COMMON,
    ...(format === 'cjs' && asCommonJs),
    minifyWhitespace: true,
    lineLimit: 240,
  });
  return code;
}

/** esbuild names each module of CommonJS by its path, which leads out of a folder whose `node_modules` is a link. */
const withoutPaths = (text) => text.replaceAll(/(__commonJS\(\{\s*")[^"]*\/node_modules\//g, '$1');

/** The package has no side effects, so that bundlers warn of what is imported for none but them. */
const withoutBareImports = (text) => text.replaceAll(/^import "[^"]+";\n/gm, '');

/** esbuild changes the inner name of `X = class X`, which users see: Nest takes it for that of a provider. */
function withClassNames(path, text) {
  let named = text;
  for (const [, name, inner] of text.matchAll(
    /(?:\bvar |,|\n|=)(\w+?)(?:_1)?=class(?: (?!extends\b)(\w+)| extends\b|\{)/g,
  )) {
    if (/\d$/.test(name))
      throw new Error(`${path} has a class ${name}: two classes may not have the same name`);
    if (inner !== undefined) named = named.replaceAll(new RegExp(`\\b${inner}\\b`, 'g'), name);
  }
  return named;
}

/** The declarations that those of the entry points refer to. */
function typesFrom(modules, entryPoints) {
  const files = new Set(entryPoints.map((file) => file.replace(/js$/, 'd.ts')));
  for (const file of files) {
    const text = readFileSync(join(modules, file), 'utf8');
    for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g))
      files.add(`${join(dirname(file), path)}.d.ts`);
  }
  return files;
}

/** Types have the names of private members, whose comments are for those who read the source. */
const withoutPrivateComments = (types) =>
  types.replaceAll(/^ *\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?= *private )/gm, '');

function specifier(from, to) {
  const path = relative(from, to).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
