import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  Inject,
  ServiceUnavailableException,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { buildOverview } from '../../dashboard/build-overview.js';
import { LiveStreams } from '../../dashboard/live-streams.js';
import type { Overview } from '../../dashboard/overview.js';
import type { ResolvedOptions } from '../../monitor/options.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { RESOLVED_OPTIONS } from '../tokens.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-access.js';
import { type AnyResponse, rawOf, takeOver } from './framework-response.js';
import { RouteKind } from './route-kind.js';

/** In seconds. */
const RETRY_AFTER = '5';

/** The controller of what the page shows, below this path, which is that of the endpoint, and checked there. */
export function createOverviewController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class OverviewController implements BeforeApplicationShutdown {
    private readonly streams: LiveStreams;

    constructor(
      @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
      @Inject(RESOLVED_OPTIONS) { endpoint: { maxStreams } }: ResolvedOptions,
    ) {
      this.streams = new LiveStreams('overview', () => JSON.stringify(this.build()), { maxStreams });
    }

    @Get('overview')
    @Documented('What is slow, what it costs and how the process is, at first sight')
    overview(): Answer {
      return Answer.json(this.build());
    }

    private build(): Overview {
      return buildOverview(this.monitor, Date.now(), this.streams.size);
    }

    /** The same by server-sent events, at once and then every two seconds. */
    @Get('stream')
    @RouteKind('stream')
    stream(_request: EndpointRequest, response: AnyResponse): undefined {
      if (!this.streams.hasRoom) {
        rawOf(response).setHeader('Retry-After', RETRY_AFTER);
        throw new ServiceUnavailableException(
          `There are ${this.streams.size} streams open, and no more are allowed (endpoint.maxStreams): ask for overview instead`,
        );
      }
      this.streams.open(takeOver(response));
    }

    /** The server waits for its answers, and these have no end. */
    beforeApplicationShutdown(): void {
      this.streams.close();
    }
  }
  return OverviewController;
}
