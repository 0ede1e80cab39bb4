// Starts an application with the module and prints the packages whose files that has loaded, with their number.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
require('@nestjs/platform-express');

const known = new Set(Object.keys(require.cache));

async function main() {
  const { PerformanceModule } = require('nestjs-performance');
  class AppModule {}
  Module({ imports: [PerformanceModule.forRoot()] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const counts = {};
  for (const path of Object.keys(require.cache).filter((path) => !known.has(path))) {
    const [, name = 'nestjs-performance'] =
      /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(path) ?? [];
    counts[name.replace('\\', '/')] = (counts[name.replace('\\', '/')] ?? 0) + 1;
  }
  process.stdout.write(JSON.stringify(counts));
  await app.close();
}

void main();
