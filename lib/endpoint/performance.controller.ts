import {
  BadRequestException,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Query,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { SlowOperation } from '../monitor/operation.js';
import type { PerformanceStats } from '../monitor/performance-monitor.js';
import { PerformanceMonitorService } from '../monitor/performance-monitor.service.js';
import { show } from '../options/options-error.js';
import { EndpointGuard } from './endpoint.guard.js';

type QueryParameters = Record<string, unknown>;

const MAX_LISTED = 1000;

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
    constructor(@Inject(PerformanceMonitorService) private readonly monitor: PerformanceMonitorService) {}

    @Get('stats')
    @Header('Cache-Control', 'no-store')
    stats(@Query() query: QueryParameters): PerformanceStats {
      return this.monitor.getStats({ operations: wholeNumber(query, 'operations') });
    }

    @Delete('stats')
    @HttpCode(204)
    reset(): void {
      this.monitor.resetStats();
    }

    @Get('slow')
    @Header('Cache-Control', 'no-store')
    slow(@Query() query: QueryParameters): SlowOperation[] {
      return this.monitor.getSlowOperations({
        limit: wholeNumber(query, 'limit'),
        type: text(query, 'type'),
      });
    }

    @Get('slow/:id')
    @Header('Cache-Control', 'no-store')
    slowOperation(@Param('id') id: string): SlowOperation {
      const operation = this.monitor.getSlowOperation(id);
      if (operation !== undefined) return operation;
      throw new NotFoundException(
        `There is no slow operation ${show(id)}: it may have made room for newer ones`,
      );
    }
  }
  return PerformanceController;
}

function wholeNumber(query: QueryParameters, name: string): number | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= MAX_LISTED) return number;
  throw new BadRequestException(
    `The query parameter ${name} is ${show(value)}, which is not allowed: give a whole number from 1 to ${MAX_LISTED}`,
  );
}

function text(query: QueryParameters, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new BadRequestException(
    `The query parameter ${name} is ${show(value)}, which is not allowed: give an operation type such as http`,
  );
}
