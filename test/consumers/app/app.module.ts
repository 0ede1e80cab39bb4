// The first import of all: what is taken from node:http before there is a module must be seen, too.
import { request as httpRequest } from 'node:http';
import { get as httpsGet } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import {
  type CanActivate,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  UseGuards,
} from '@nestjs/common';
import { type Span, trace } from '@opentelemetry/api';
import {
  PerformanceModule,
  SlowThreshold,
  TrackPerformance,
  withPerformanceTracking,
} from 'nestjs-performance';
import type { SeenSpan } from './seen-spans.js';

/** What a span of the SDK shows beside the api's interface. */
type ReadableSpan = Span & { attributes?: object; parentSpanContext?: { spanId: string } };

const activeSpan = (): ReadableSpan | undefined => trace.getActiveSpan();

function identify(span: ReadableSpan | undefined): {
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
} {
  return {
    traceId: span?.spanContext().traceId,
    spanId: span?.spanContext().spanId,
    parentSpanId: span?.parentSpanContext?.spanId,
  };
}

/** TLS with a key that both sides know, which needs no certificate. */
function keyed(key: string): ConnectionOptions {
  return {
    ciphers: 'PSK',
    maxVersion: 'TLSv1.2',
    pskCallback: () => ({ identity: 'app', psk: Buffer.from(key) }),
    checkServerIdentity: () => undefined,
  };
}

@Injectable()
class UsersService {
  @TrackPerformance()
  async find(id: string): Promise<{ id: string; child: object }> {
    await sleep(Number(id) % 7);
    return { id, child: identify(activeSpan()) };
  }

  @TrackPerformance('calculation', 10)
  calculate(): number {
    const end = performance.now() + 25;
    while (performance.now() < end);
    return 42;
  }
}

@Injectable()
class NobodyGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Controller()
class AppController {
  private slowSpan: ReadableSpan | undefined;

  constructor(@Inject(UsersService) private readonly users: UsersService) {}

  @Get('users/:id')
  async user(@Param('id') id: string): Promise<object> {
    const { child } = await this.users.find(id);
    return { id, request: identify(activeSpan()), child };
  }

  @Get('calculation')
  calculation(): object {
    const helped = withPerformanceTracking('calculation', () => 1, { name: 'helped' });
    return { answer: this.users.calculate() + helped };
  }

  // The guard below the tracking decorator: it must not get lost.
  @Get('denied')
  @TrackPerformance()
  @UseGuards(NobodyGuard)
  denied(): string {
    return 'never';
  }

  @Get('boom')
  boom(): never {
    throw new Error('boom');
  }

  @Get('slow')
  async slow(): Promise<string> {
    this.slowSpan = activeSpan();
    await sleep(120);
    return 'slow';
  }

  /** What the span of the last slow request came to carry. */
  @Get('slow-span')
  annotated(): object {
    return this.slowSpan?.attributes ?? {};
  }

  @Get('report')
  @SlowThreshold(20)
  async report(): Promise<string> {
    await sleep(40);
    return 'report';
  }

  /** Takes longer than its caller waits. */
  @Get('hang')
  @SlowThreshold(10)
  async hang(): Promise<string> {
    await sleep(1000);
    return 'too late';
  }

  @Get('outgoing/:how')
  outgoing(@Param('how') how: string): Promise<unknown> {
    const { HTTP_PORT, HTTPS_PORT, PSK } = process.env;
    if (how === 'fetch')
      return fetch(`http://localhost:${HTTP_PORT}/fetch?secret=1`).then((answer) => answer.json());
    return new Promise((resolve, reject) => {
      const outgoing =
        how === 'http'
          ? httpRequest(`http://127.0.0.1:${HTTP_PORT}/http?secret=1`)
          : httpsGet(`https://127.0.0.2:${HTTPS_PORT}/https?secret=1`, keyed(String(PSK)));
      outgoing.once('error', reject).once('response', async (response) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve(JSON.parse(body));
      });
      outgoing.end();
    });
  }

  @Get('spans')
  spans(): SeenSpan[] {
    return globalThis.seenSpans ?? [];
  }
}

@Module({
  imports: [PerformanceModule.forRoot({ httpThresholdMs: 100, externalThresholdMs: 5000 })],
  controllers: [AppController],
  providers: [UsersService],
})
export class AppModule {}
