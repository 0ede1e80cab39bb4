import type { Type } from '@nestjs/common';
import { createBaselineController } from './baseline.controller.js';
import { endpointPathOf } from './endpoint-path.js';
import { createFleetController } from './fleet.controller.js';
import { createLoginController } from './login.controller.js';
import { createMcpController } from './mcp.controller.js';
import { createMetricsController } from './metrics.controller.js';
import { createOverviewController } from './overview.controller.js';
import { createPageController } from './page.controller.js';
import { createPerformanceController } from './performance.controller.js';
import { createProfilesController } from './profiles.controller.js';
import { createReleaseController } from './release.controller.js';
import { createReportController } from './report.controller.js';

const CREATORS = [
  createPerformanceController,
  createProfilesController,
  createReportController,
  createReleaseController,
  createBaselineController,
  createMetricsController,
  createMcpController,
  createOverviewController,
  createFleetController,
  createPageController,
  createLoginController,
];

/** The controllers of the endpoint at this path. @throws TypeError for an invalid path */
export function createControllers(given: string): Type[] {
  const path = endpointPathOf(given);
  return CREATORS.map((create) => create(path));
}
