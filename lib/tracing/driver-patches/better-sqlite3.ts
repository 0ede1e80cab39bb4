import { SqliteInstrumentation } from './sqlite.js';

interface Database {
  prepare(text: string): object;
  close(): void;
}

type Exports = (new (file: string) => Database) & { prototype: object };

/** Creates a span for each statement that `better-sqlite3` executes. */
export class BetterSqlite3Instrumentation extends SqliteInstrumentation {
  constructor() {
    super((statement) => (statement as { source?: unknown }).source);
  }

  protected readonly patches = [
    this.patchOf('better-sqlite3', ['>=7'], (exports: Exports) => {
      this.patchDatabase(exports.prototype);
      this.patchPrepared(exports);
    }),
  ];

  /** Statements may have been prepared before. Their class is not exported: a database in memory gives one. */
  private patchPrepared(Database: Exports): void {
    try {
      const database = new Database(':memory:');
      database.prepare('SELECT 1');
      database.close();
    } catch {
      // With a native binding of the application's, the next statement that is prepared gives it.
    }
  }
}
