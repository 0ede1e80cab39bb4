import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';

const derive = promisify(pbkdf2);
const WORK = `for (const end = Date.now() + 150; Date.now() < end; );
require('node:worker_threads').parentPort.postMessage('done');`;

/** Work of other threads of this process. */
@Injectable()
export class OtherThreadsService {
  async inWorker(): Promise<unknown> {
    return (await once(new Worker(WORK, { eval: true }), 'message'))[0];
  }

  async inThreadPool(): Promise<string> {
    return (await derive('receipt', 'store', 900_000, 32, 'sha256')).toString('hex');
  }
}
