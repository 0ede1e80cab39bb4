import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';

const run = promisify(execFile);

@Injectable()
export class BackupService {
  async pause(): Promise<string> {
    await sleep(180);
    return 'paused';
  }

  /** A protocol without an instrumentation. */
  async overSocket(): Promise<string> {
    const socket = connect(Number(process.env['QUEUE_PORT']), '127.0.0.1');
    socket.write('{"id":1,"delayMs":180}\n');
    for await (const chunk of socket) return String(chunk);
    return '';
  }

  async inOtherProcess(): Promise<string> {
    return (await run('sleep', ['0.2'])).stdout;
  }
}
