import type { Tool } from './tool.js';
import { getCodeContext } from './tools/get-code-context.tool.js';
import { getOperation } from './tools/get-operation.tool.js';
import { getOverview } from './tools/get-overview.tool.js';
import { getReleaseVerdict } from './tools/get-release-verdict.tool.js';
import { getSlowOperation } from './tools/get-slow-operation.tool.js';
import { listChanges } from './tools/list-changes.tool.js';
import { listFindings } from './tools/list-findings.tool.js';
import { listSlowOperations } from './tools/list-slow-operations.tool.js';
import { listSlowStatements } from './tools/list-slow-statements.tool.js';
import { verifyFix } from './tools/verify-fix.tool.js';

/** The tools, in the order in which a model reads them. */
export const TOOLS: readonly Tool[] = [
  getOverview,
  listFindings,
  listSlowOperations,
  getSlowOperation,
  listSlowStatements,
  getOperation,
  listChanges,
  getReleaseVerdict,
  getCodeContext,
  verifyFix,
];
