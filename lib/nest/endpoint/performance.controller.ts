import { Readable } from 'node:stream';
import { Controller, Delete, Get, Inject, NotFoundException, type Type, UseGuards } from '@nestjs/common';
import { jsonInSlices } from '../../async/json-in-slices.js';
import { FINDING_TYPES } from '../../explain/finding.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { formatValue } from '../../validation/options-error.js';
import { PerformanceMonitorService } from '../performance-monitor.service.js';
import { Answer } from './answer.js';
import { Documented, listed } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-access.js';
import { oneOf, operationType, queryOf, wholeNumber } from './query-parameters.js';

/**
 * The controller of the endpoint at this path: a class for each path, since the path is the class's metadata.
 * @throws TypeError for a path that is none
 */
export function createPerformanceController(path: string): Type {
  if (typeof path !== 'string' || !/^\/?[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(path)) {
    throw new TypeError(
      `endpointPath is ${formatValue(path)}, which is not allowed: give a path such as performance or internal/performance`,
    );
  }
  @Controller(path)
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
    stats(request: EndpointRequest): Answer {
      const { operations, ...rest } = this.core.statsInParts({
        operations: wholeNumber(queryOf(request), 'operations'),
      });
      return Answer.of(Readable.from(jsonInSlices(rest, 'operations', operations)), {
        'Content-Type': 'application/json; charset=utf-8',
      });
    }

    @Delete('stats')
    @Documented('Forgets the statistics, the slow operations, the findings and the queries')
    reset(): Answer {
      this.monitor.resetStats();
      return Answer.empty();
    }

    @Get('slow')
    @Documented('The last slow operations with the reason why, the newest first', {
      limit: listed(1000),
      type: { type: 'string', description: 'Of one type alone, such as http' },
    })
    slow(request: EndpointRequest): Answer {
      const query = queryOf(request);
      const slow = this.monitor.getSlowOperations({
        limit: wholeNumber(query, 'limit'),
        type: operationType(query, 'type'),
      });
      return Answer.json(slow);
    }

    @Get('slow/:id')
    @Documented('A slow operation with all its evidence, while it is kept')
    slowOperation({ params }: EndpointRequest): Answer {
      const id = params?.['id'] ?? '';
      const operation = this.monitor.getSlowOperation(id);
      if (operation !== undefined) return Answer.json(operation);
      throw new NotFoundException(
        `There is no slow operation ${formatValue(id)}: it may have made room for newer ones`,
      );
    }

    @Get('findings')
    @Documented('What the detectors saw, the most time lost first', {
      limit: listed(1000),
      type: { type: 'string', enum: FINDING_TYPES },
    })
    findings(request: EndpointRequest): Answer {
      const query = queryOf(request);
      const findings = this.monitor.getFindings({
        limit: wholeNumber(query, 'limit'),
        type: oneOf(query, 'type', FINDING_TYPES),
      });
      return Answer.json(findings);
    }

    @Get('queries')
    @Documented('The statements that were slow at least once, the most time first', {
      limit: listed(1000),
      all: { type: 'string', enum: ['true', 'false'], description: 'Those that were never slow, too' },
    })
    queries(request: EndpointRequest): Answer {
      const query = queryOf(request);
      const queries = this.monitor.getSlowQueries({
        limit: wholeNumber(query, 'limit'),
        all: oneOf(query, 'all', ['true', 'false']) === 'true',
      });
      return Answer.json(queries);
    }
  }
  return PerformanceController;
}
