import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Injectable } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';

/** A database client whose engine reports its queries when they are over: each span is created with both of its times. */
@Injectable()
export class Ledger {
  private readonly socket: Socket = connect(Number(process.env['QUEUE_PORT']), '127.0.0.1');
  private readonly unanswered = new Map<number, () => void>();
  private last = 0;

  constructor() {
    createInterface(this.socket).on('line', (id) => this.unanswered.get(Number(id))?.());
  }

  async query(text: string, delayMs: number): Promise<void> {
    const startTime = Date.now();
    await this.send(delayMs);
    const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
    trace
      .getTracer('ledger-engine')
      .startSpan('ledger:engine:db_query', { kind: SpanKind.CLIENT, startTime, attributes })
      .end(Date.now());
  }

  private send(delayMs: number): Promise<void> {
    const id = ++this.last;
    return new Promise((resolve) => {
      this.unanswered.set(id, () => {
        this.unanswered.delete(id);
        resolve();
      });
      this.socket.write(`${JSON.stringify({ id, delayMs })}\n`);
    });
  }
}
