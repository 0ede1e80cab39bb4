import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Injectable } from '@nestjs/common';
import { context, SpanKind, trace } from '@opentelemetry/api';

/** A client of the message queue that creates a span for `publish`, as an instrumentation would. */
@Injectable()
export class Queue {
  private readonly socket: Socket = connect(Number(process.env['QUEUE_PORT']), '127.0.0.1');
  private readonly unconfirmed = new Map<number, () => void>();
  private last = 0;

  constructor() {
    createInterface(this.socket).on('line', (id) => this.unconfirmed.get(Number(id))?.());
  }

  publish(destination: string, message: { delayMs: number }): Promise<void> {
    const span = trace.getTracer('queue-instrumentation').startSpan(`publish ${destination}`, {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'lines',
        'messaging.destination.name': destination,
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
      },
    });
    return context.with(trace.setSpan(context.active(), span), () =>
      this.send(message).finally(() => span.end()),
    );
  }

  private send(message: { delayMs: number }): Promise<void> {
    const id = ++this.last;
    return new Promise((resolve) => {
      this.unconfirmed.set(id, () => {
        this.unconfirmed.delete(id);
        resolve();
      });
      this.socket.write(`${JSON.stringify({ id, ...message })}\n`);
    });
  }
}
