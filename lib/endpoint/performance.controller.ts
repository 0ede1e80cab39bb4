import { Readable } from 'node:stream';
import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Query,
  StreamableFile,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { FINDING_TYPES, type Finding } from '../explain/finding.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { DetailedSlowOperation, SlowOperation } from '../monitor/operation.js';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { PerformanceMonitorService } from '../monitor/performance-monitor.service.js';
import { show } from '../options/options-error.js';
import { Documented, listed } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import { jsonInSlices } from './json-in-slices.js';
import { oneOf, operationType, type QueryParameters, wholeNumber } from './query-parameters.js';

/**
 * The controller of the endpoint at this path: a class for each path, since the path is the class's metadata.
 * @throws TypeError for a path that is none
 */
export function createPerformanceController(path: string): Type {
  if (typeof path !== 'string' || !/^\/?[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(path)) {
    throw new TypeError(
      `endpointPath is ${show(path)}, which is not allowed: give a path such as performance or internal/performance`,
    );
  }
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(EndpointGuard)
  class PerformanceController {
    constructor(
      @Inject(PerformanceMonitorService) private readonly monitor: PerformanceMonitorService,
      @Inject(PerformanceMonitor) private readonly core: PerformanceMonitor,
    ) {}

    @Get('stats')
    @Documented('Counts and percentiles by type and by operation, the present resources, the drivers', {
      operations: listed(1000, 'How many operations are listed, those that took the most time first'),
    })
    @Header('Cache-Control', 'no-store')
    stats(@Query() query: QueryParameters): StreamableFile {
      const { operations, ...rest } = this.core.statsInParts({
        operations: wholeNumber(query, 'operations'),
      });
      return new StreamableFile(Readable.from(jsonInSlices(rest, 'operations', operations)), {
        type: 'application/json; charset=utf-8',
      });
    }

    @Delete('stats')
    @Documented('Forgets the statistics, the slow operations, the findings and the queries')
    @HttpCode(204)
    reset(): void {
      this.monitor.resetStats();
    }

    @Get('slow')
    @Documented('The last slow operations with the reason why, the newest first', {
      limit: listed(1000),
      type: { type: 'string', description: 'Of one type alone, such as http' },
    })
    @Header('Cache-Control', 'no-store')
    slow(@Query() query: QueryParameters): SlowOperation[] {
      return this.monitor.getSlowOperations({
        limit: wholeNumber(query, 'limit'),
        type: operationType(query, 'type'),
      });
    }

    @Get('slow/:id')
    @Documented('A slow operation with all its evidence, while it is kept')
    @Header('Cache-Control', 'no-store')
    slowOperation(@Param('id') id: string): DetailedSlowOperation {
      const operation = this.monitor.getSlowOperation(id);
      if (operation !== undefined) return operation;
      throw new NotFoundException(
        `There is no slow operation ${show(id)}: it may have made room for newer ones`,
      );
    }

    @Get('findings')
    @Documented('What the detectors saw, the most time lost first', {
      limit: listed(1000),
      type: { type: 'string', enum: FINDING_TYPES },
    })
    @Header('Cache-Control', 'no-store')
    findings(@Query() query: QueryParameters): Finding[] {
      return this.monitor.getFindings({
        limit: wholeNumber(query, 'limit'),
        type: oneOf(query, 'type', FINDING_TYPES),
      });
    }

    @Get('queries')
    @Documented('The statements that were slow at least once, the most time first', {
      limit: listed(1000),
      all: { type: 'string', enum: ['true', 'false'], description: 'Those that were never slow, too' },
    })
    @Header('Cache-Control', 'no-store')
    queries(@Query() query: QueryParameters): SlowQuery[] {
      return this.monitor.getSlowQueries({
        limit: wholeNumber(query, 'limit'),
        all: oneOf(query, 'all', ['true', 'false']) === 'true',
      });
    }
  }
  return PerformanceController;
}
