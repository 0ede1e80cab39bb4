import { InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation';
import { SqliteInstrumentation } from './sqlite.js';

type Exports = Record<'DatabaseSync' | 'StatementSync', { prototype: object }>;

/** Creates a span for each statement that `node:sqlite` executes. */
export class NodeSqliteInstrumentation extends SqliteInstrumentation {
  constructor() {
    super((statement) => (statement as { sourceSQL?: unknown }).sourceSQL);
  }

  protected override init(): InstrumentationNodeModuleDefinition {
    return new InstrumentationNodeModuleDefinition(
      'node:sqlite',
      ['*'],
      (exports: Exports) => {
        this.patchDatabase(exports.DatabaseSync.prototype);
        this.patchStatement(exports.StatementSync.prototype);
        return exports;
      },
      () => this.unpatch(),
    );
  }
}
