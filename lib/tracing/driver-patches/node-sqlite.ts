import { SqliteInstrumentation } from './sqlite.js';

type Exports = Record<'DatabaseSync' | 'StatementSync', { prototype: object }>;

/** Creates a span for each statement that `node:sqlite` executes. */
export class NodeSqliteInstrumentation extends SqliteInstrumentation {
  constructor() {
    super((statement) => (statement as { sourceSQL?: unknown }).sourceSQL);
  }

  protected readonly patches = [
    this.patchOf('node:sqlite', ['*'], (exports: Exports) => {
      this.patchDatabase(exports.DatabaseSync.prototype);
      this.patchStatement(exports.StatementSync.prototype);
    }),
  ];
}
