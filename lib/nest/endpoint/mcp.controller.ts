import {
  Controller,
  Delete,
  Get,
  HttpStatus,
  Inject,
  Logger,
  NotFoundException,
  NotImplementedException,
  Post,
  type Type,
} from '@nestjs/common';
import { asOwnPause } from '../../async/own-pauses.js';
import { reasonOf, stackOf } from '../../async/thrown.js';
import type { McpServer } from '../../mcp/mcp-server.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { SCOPE } from '../../spans/tracing-runtime.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import { type EndpointRequest, firstValue, headerValues } from './endpoint-request.js';
import { type AnyResponse, rawOf } from './framework-response.js';
import { jsonBodyOf } from './json-body.js';
import { usesHttps } from './secure-client.js';

/** A call of a tool has some hundred bytes. */
const MAX_BODY_BYTES = 256 * 1024;
/** The headers that the protocol defines. */
const HEADERS = ['accept', 'content-type', 'mcp-protocol-version'];

/** The controller for agents. @param path the path of the endpoint, already validated */
export function createMcpController(path: string): Type {
  @Controller(path)
  class McpController {
    private readonly logger = new Logger('PerformanceModule');
    private server: Promise<McpServer> | undefined;

    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    @Post('mcp')
    @Documented('Model Context Protocol by Streamable HTTP, for agents: read-only tools and prompts')
    async message(request: EndpointRequest, response: AnyResponse): Promise<Answer> {
      this.requireEnabled();
      const server = await this.loaded();
      const message = await jsonBodyOf(request, MAX_BODY_BYTES);
      const abort = new AbortController();
      rawOf(response).once('close', () => abort.abort());
      try {
        const { status, headers, body } = await server.answer({
          message,
          headers: protocolHeaders(request),
          page: pageOf(request),
          signal: abort.signal,
        });
        return Answer.sent(status, headers, body);
      } catch (error) {
        // The client has gone: nobody reads the answer.
        if (abort.signal.aborted) return Answer.empty();
        throw error;
      }
    }

    /** Answers 405: the server has no messages of its own to stream. */
    @Get('mcp')
    stream(): Answer {
      this.requireEnabled();
      return notAllowed();
    }

    /** Answers 405: there are no sessions to end. */
    @Delete('mcp')
    end(): Answer {
      this.requireEnabled();
      return notAllowed();
    }

    /** Read on demand: it is large, and most processes are never asked by an agent. */
    private loaded(): Promise<McpServer> {
      this.server ??= import('../../mcp/mcp-server.js')
        .then(
          // Its code runs when its class is read.
          (module) =>
            asOwnPause(
              () =>
                new module.McpServer(this.monitor, SCOPE.version, (error) =>
                  this.logger.error('A tool of the MCP endpoint failed', stackOf(error)),
                ),
            ),
        )
        .catch((error: unknown) => {
          this.server = undefined;
          this.logger.warn(`The MCP endpoint is unavailable: ${reasonOf(error)}`);
          throw new NotImplementedException(
            'The MCP endpoint is unavailable: a file of nestjs-performance is missing. If the application is bundled, leave the package out of the bundle',
          );
        });
      return this.server;
    }

    private requireEnabled(): void {
      if (!this.monitor.options.endpoint.mcp)
        throw new NotFoundException('The MCP endpoint is disabled: the option endpoint.mcp is false');
    }
  }
  return McpController;
}

function notAllowed(): Answer {
  return Answer.json(
    {
      statusCode: HttpStatus.METHOD_NOT_ALLOWED,
      error: 'Method Not Allowed',
      message: 'Model Context Protocol without sessions: send each message by POST',
    },
    HttpStatus.METHOD_NOT_ALLOWED,
    { Allow: 'POST' },
  );
}

function protocolHeaders(request: EndpointRequest): Record<string, string> {
  return Object.fromEntries(
    HEADERS.flatMap((name) => {
      const [value] = headerValues(request, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The page of this endpoint, as the client addressed it; undefined for a host that no address can have. */
function pageOf(request: EndpointRequest): string | undefined {
  const { url, originalUrl = url } = request;
  const host = firstValue(request, 'x-forwarded-host') ?? headerValues(request, 'host')[0] ?? '';
  const path = originalUrl.replace(/\?.*$/s, '').replace(/\/mcp\/?$/, '');
  const address = `${usesHttps(request) ? 'https' : 'http'}://${host}`;
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(address)
    ? `${new URL(address).origin}${path}`
    : undefined;
}
