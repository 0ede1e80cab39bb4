import { Readable } from 'node:stream';
import { Controller, Delete, Get, Inject, NotFoundException, type Type } from '@nestjs/common';
import { jsonInSlices } from '../../async/json-in-slices.js';
import { withoutServerPaths } from '../../code/code-path.js';
import { CAUSES } from '../../explain/cause.js';
import { FINDING_TYPES } from '../../explain/finding.js';
import { SLOW_STATUSES } from '../../explain/slow-filter.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { MOMENT_ALLOWED, SINCE_ALLOWED } from '../../report/covered-time.js';
import { formatValue } from '../../validation/options-error.js';
import { PerformanceMonitorService } from '../performance-monitor.service.js';
import { Answer } from './answer.js';
import { Documented, listed } from './api-documentation.js';
import { RouteKind } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-request.js';
import { oneOf, operationType, queryOf, sinceOf, textOf, untilOf, wholeNumber } from './query-parameters.js';

/**
 * The controller of what is known now. A class per path, as the path is metadata of the class.
 * @param path the path of the endpoint, already validated
 */
export function createPerformanceController(path: string): Type {
  @Controller(path)
  class PerformanceController {
    constructor(
      @Inject(PerformanceMonitorService) private readonly monitor: PerformanceMonitorService,
      @Inject(PerformanceMonitor) private readonly core: PerformanceMonitor,
    ) {}

    @Get('stats')
    @Documented('Counts and percentiles by type and operation, current resources, and drivers', {
      operations: listed(1000, 'Maximum number of operations, sorted by total time'),
    })
    stats(request: EndpointRequest): Answer {
      const { operations, ...rest } = this.core.statsInParts({
        operations: wholeNumber(queryOf(request), 'operations'),
      });
      const figures: object = JSON.parse(withoutServerPaths(JSON.stringify(rest)));
      return Answer.of(Readable.from(jsonInSlices(figures, 'operations', operations)), {
        'Content-Type': 'application/json; charset=utf-8',
      });
    }

    @Delete('stats')
    @RouteKind('action')
    @Documented('Resets statistics, slow operations, findings and queries')
    reset(): Answer {
      this.monitor.resetStats();
      return Answer.empty();
    }

    @Get('slow')
    @Documented('Recent slow operations with their causes, the newest first', {
      limit: listed(1000),
      type: { type: 'string', description: 'Only operations of this type, such as http' },
      name: { type: 'string', description: 'Only this operation, and what ran within it' },
      cause: { type: 'string', enum: CAUSES, description: 'Only those with this first cause' },
      status: { type: 'string', enum: SLOW_STATUSES },
      minMs: {
        type: 'integer',
        minimum: 1,
        description: 'Only those that took at least so many milliseconds',
      },
      since: { type: 'string', description: `Only those that ended since ${SINCE_ALLOWED}` },
      until: { type: 'string', description: `Only those that ended until ${MOMENT_ALLOWED}` },
      text: {
        type: 'string',
        description: 'Only those with this text in name, explanation, statement, trace ID or span ID',
      },
    })
    slow(request: EndpointRequest): Answer {
      const query = queryOf(request);
      const now = Date.now();
      const since = sinceOf(query, now);
      const slow = this.monitor.getSlowOperations({
        limit: wholeNumber(query, 'limit'),
        type: operationType(query, 'type'),
        name: textOf(query, 'name'),
        cause: oneOf(query, 'cause', CAUSES),
        status: oneOf(query, 'status', SLOW_STATUSES),
        minMs: wholeNumber(query, 'minMs', Number.MAX_SAFE_INTEGER),
        since,
        until: untilOf(query, now, since),
        text: textOf(query, 'text'),
      });
      return Answer.json(slow);
    }

    @Get('slow/:id')
    @Documented('One slow operation with all evidence, also of another instance')
    async slowOperation({ params }: EndpointRequest): Promise<Answer> {
      const id = params?.['id'] ?? '';
      const operation = await this.monitor.findSlowOperation(id);
      if (operation !== undefined) return Answer.json(operation);
      const other = await this.core.fleet.slowOperation(id);
      if (other !== undefined) return Answer.json({ ...other.operation, instance: other.instance });
      throw new NotFoundException(
        `No slow operation ${formatValue(id)}: it may have been removed to make room for newer ones`,
      );
    }

    @Get('findings')
    @Documented('Findings: errors that fail operations first, then sorted by total time', {
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

    @Get('findings/:id')
    @Documented('One finding, with the log of its latest failed execution where logging.keep is on')
    finding({ params }: EndpointRequest): Answer {
      const id = params?.['id'] ?? '';
      const finding = this.monitor.getFinding(id);
      if (finding !== undefined) return Answer.json(finding);
      throw new NotFoundException(
        `No finding ${formatValue(id)}: it may have been removed to make room for newer ones`,
      );
    }

    @Get('queries')
    @Documented('Statements with slow executions, sorted by total time', {
      limit: listed(1000),
      all: {
        type: 'string',
        enum: ['true', 'false'],
        description: 'Include statements that were never slow',
      },
      route: { type: 'string', description: 'Only statements of this operation, such as GET /albums' },
    })
    queries(request: EndpointRequest): Answer {
      const query = queryOf(request);
      const queries = this.monitor.getSlowQueries({
        limit: wholeNumber(query, 'limit'),
        all: oneOf(query, 'all', ['true', 'false']) === 'true',
        route: textOf(query, 'route'),
      });
      return Answer.json(queries);
    }
  }
  return PerformanceController;
}
