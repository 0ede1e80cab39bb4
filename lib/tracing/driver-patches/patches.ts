/** The patches of this package, in one file that is loaded with the first driver that needs one. */
export { BetterSqlite3Instrumentation } from './better-sqlite3.js';
export { NodeSqliteInstrumentation } from './node-sqlite.js';
export { PgInstrumentation } from './pg.js';
export { PostgresJsInstrumentation } from './postgres-js.js';
