import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';

const TEXT = Array.from({ length: 90_000 }, (_, n) => `book ${n}, shelf ${(n * 7919) % 503}\n`).join('');

/** Synchronous functions of Node.js. */
@Injectable()
export class ArchiveService {
  zip(): number {
    return gzipSync(TEXT, { level: 9 }).length; // call site: gzip
  }

  /** Reads the same file again and again. */
  lengths(count: number): number {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += readFileSync(__filename, 'utf8').length; // call site: files
    return sum;
  }

  inOtherProcess(): string {
    return execFileSync('sleep', ['0.15']).toString(); // call site: other-process
  }

  copyAll(rows: object[]): object[] {
    return rows.map((row) => structuredClone(row)); // call site: clone
  }
}
