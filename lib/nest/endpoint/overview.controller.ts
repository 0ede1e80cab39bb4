import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  Inject,
  NotFoundException,
  ServiceUnavailableException,
  type Type,
} from '@nestjs/common';
import { withoutServerPaths } from '../../code/code-path.js';
import { LiveStreams } from '../../dashboard/live-streams.js';
import type { Overview } from '../../dashboard/overview.js';
import type { ResolvedOptions } from '../../monitor/options.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { formatValue } from '../../validation/options-error.js';
import { RESOLVED_OPTIONS } from '../tokens.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import { RouteKind } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-request.js';
import { type AnyResponse, rawOf, takeOver } from './framework-response.js';
import { operationType, queryOf, refuse, textOf } from './query-parameters.js';

/** In seconds. */
const RETRY_AFTER = '5';

/** The controller of the page's data. @param path the path of the endpoint, already validated */
export function createOverviewController(path: string): Type {
  @Controller(path)
  class OverviewController implements BeforeApplicationShutdown {
    private readonly streams: LiveStreams;
    /** Loaded by the first request: most processes never show the page. */
    private build: (() => Overview) | undefined;

    constructor(
      @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
      @Inject(RESOLVED_OPTIONS) { endpoint: { maxStreams } }: ResolvedOptions,
    ) {
      this.streams = new LiveStreams('overview', () => withoutServerPaths(JSON.stringify(this.build?.())), {
        maxStreams,
      });
    }

    @Get('overview')
    @Documented('The data of the page: health, operations, findings, resources and alerts')
    async overview(): Promise<Answer> {
      const build = await this.loaded();
      return Answer.json(build());
    }

    @Get('operation')
    @Documented('One operation: where its time goes, its latencies over time, errors, statements and lines', {
      type: { type: 'string', description: 'Its type, such as http' },
      name: { type: 'string', description: 'Its name, such as GET /albums' },
    })
    async operation(request: EndpointRequest): Promise<Answer> {
      const query = queryOf(request);
      const type =
        operationType(query, 'type') ?? refuse('type', undefined, 'an operation type such as http');
      const name = textOf(query, 'name') ?? refuse('name', undefined, 'the name of an operation');
      const { buildOperation } = await import('../../dashboard/build-operation.js');
      const detail = buildOperation(this.monitor, type, name);
      if (detail !== undefined) return Answer.json(detail);
      throw new NotFoundException(
        `No operation ${formatValue(name)} of type ${formatValue(type)} has ended yet`,
      );
    }

    private async loaded(): Promise<() => Overview> {
      const { buildOverview } = await import('../../dashboard/build-overview.js');
      this.build ??= () => buildOverview(this.monitor, Date.now(), this.streams.size);
      return this.build;
    }

    /** Streams the overview as server-sent events: at once and then every two seconds. */
    @Get('stream')
    @RouteKind('stream')
    async stream(_request: EndpointRequest, response: AnyResponse): Promise<undefined> {
      await this.loaded();
      if (!this.streams.hasRoom) {
        rawOf(response).setHeader('Retry-After', RETRY_AFTER);
        throw new ServiceUnavailableException(
          `Too many streams: all ${this.streams.size} are in use (endpoint.maxStreams). Request overview instead`,
        );
      }
      this.streams.open(takeOver(response));
    }

    /** Ends the streams, as the server waits for open responses. */
    beforeApplicationShutdown(): void {
      this.streams.close();
    }
  }
  return OverviewController;
}
