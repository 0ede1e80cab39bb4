// Instruments the drivers of an application before any is loaded, loads them by `require`, by `import` or from the process, and
// prints the statements of the spans, and what remains when the instrumentation has ended.
import { createRequire, isBuiltin, Module } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [library, application, how] = process.argv.slice(2);
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = createRequire(import.meta.url)(
  '@opentelemetry/sdk-trace-node',
);
const main = join(application, 'main.js');
process.argv[1] = main;
const { DriverInstrumentation } = await import(pathToFileURL(library).href);

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const statements = () => {
  const texts = exporter.getFinishedSpans().map(({ attributes }) => attributes['db.query.text']);
  exporter.reset();
  return texts;
};
const require = createRequire(main);
const load = async (name) => {
  if (how === 'require') return require(name);
  if (how === 'process' && isBuiltin(name)) return process.getBuiltinModule(name);
  const path = isBuiltin(name) ? name : pathToFileURL(require.resolve(name)).href;
  const module = await import(path);
  return isBuiltin(name) ? module : module.default;
};
const patchable = () => ({
  'Module.prototype.load': Module.prototype.load,
  'process.getBuiltinModule': process.getBuiltinModule,
});

const before = patchable();
const warnings = [];
const drivers = new DriverInstrumentation((message) => warnings.push(message));
await drivers.enable(provider);
const result = {};

const Database = await load('better-sqlite3');
const database = new Database(':memory:');
database.exec('select exec');
const prepared = database.prepare('select prepared');
prepared.all();
result.sqlite = statements();

const pg = await load('pg');
await new pg.Client().query('select first');
const copy = await load('orm/pg');
await new copy.Client().query('select second');
await new pg.native.Client().query('select native');
result.pg = statements();

if (isBuiltin('node:sqlite')) {
  const { DatabaseSync } = await load('node:sqlite');
  new DatabaseSync(':memory:').exec('select 1');
  result.builtin = statements();
}

/** What a broken driver throws reaches the application, and nothing else does. */
result.thrown = await load('broken').then(
  () => 'nothing',
  (error) => error.message,
);
result.unreadable = typeof (await load('unreadable/pg'));
result.nothing = String(await load('nothing/pg'));
result.warnings = warnings;

// Another tool that has wrapped the same function since keeps its wrapper.
let seen = 0;
const ours = Module.prototype.load;
if (how === 'import')
  Module.prototype.load = function (...args) {
    seen++;
    return ours.apply(this, args);
  };
drivers.disable();
if (how === 'import') {
  require('broken/other');
  result.seen = seen;
} else result.leftBehind = Object.keys(before).filter((name) => patchable()[name] !== before[name]);
prepared.all();
database.exec('select exec');
await new pg.Client().query('select first');
await new copy.Client().query('select second');
const late = require('late/pg');
await new late.Client().query('select late');
result.afterwards = statements();

process.stdout.write(JSON.stringify(result));
