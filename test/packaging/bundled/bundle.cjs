// Bundles the application into one file: node bundle.cjs <bundler> <folder> <cjs | esm> <optional packages as JSON>
const { mkdirSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const [bundler, folder, format, optional] = process.argv.slice(2);
const names = JSON.parse(optional);
const extension = format === 'esm' ? 'mjs' : 'cjs';
const output = join(folder, 'bundles', `${bundler}-${format}`);

async function byNcc() {
  const { code, assets } = await require('@vercel/ncc')(join(folder, `application.${extension}`), {
    cache: false,
    quiet: true,
    esm: format === 'esm',
  });
  const file = join(output, `main.${extension}`);
  for (const [path, source] of [
    [file, code],
    ...Object.entries(assets).map(([n, a]) => [join(output, n), a.source]),
  ]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, source);
  }
  return file;
}

function byWebpack(tool) {
  const filename = `main.${extension}`;
  const isOptional = (request) => names.some((name) => request === name || request.startsWith(`${name}/`));
  const configuration = {
    mode: 'production',
    target: 'node20',
    context: folder,
    entry: join(folder, 'application.mjs'),
    devtool: false,
    output: {
      path: output,
      filename,
      chunkFormat: format === 'esm' ? 'module' : 'commonjs',
      ...(format === 'esm' && { module: true, library: { type: 'module' } }),
    },
    ...(format === 'esm' && { experiments: { outputModule: true } }),
    optimization: { minimize: false, nodeEnv: false },
    ignoreWarnings: [/./],
    plugins: [
      new tool.IgnorePlugin({ checkResource: isOptional }),
      new tool.optimize.LimitChunkCountPlugin({ maxChunks: 1 }),
    ],
  };
  return new Promise((resolve, reject) => {
    tool(configuration, (error, stats) => {
      if (error || stats.hasErrors())
        reject(error ?? new Error(stats.toString({ all: false, errors: true })));
      else resolve(join(output, filename));
    });
  });
}

const packages = { webpack: 'webpack', 'webpack-5.100': 'webpack-5.100', rspack: '@rspack/core' };
const bundled = bundler === 'ncc' ? byNcc() : byWebpack(require(packages[bundler]));
bundled.then((file) => process.stdout.write(`${file}\n`));
