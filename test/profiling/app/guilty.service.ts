import { pbkdf2Sync } from 'node:crypto';
import { setTimeout as later, setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import leven from 'leven';
import { TrackPerformance } from 'nestjs-performance';

/** Each method takes its time in one place that is known: the line with `guilty`, or its function. */
@Injectable()
export class ScoringService {
  score(rounds: number): number {
    let sum = 0;
    for (let round = 0; round < rounds; round++) {
      sum = (sum * 31 + (round ^ (sum >> 3))) % 1_000_003; // guilty: score
    }
    return sum;
  }

  recursive(depth: number): number {
    return depth < 2 ? depth : this.recursive(depth - 1) + this.recursive(depth - 2); // guilty: recursive
  }
}

@Injectable()
export class AuthService {
  hash(password: string, rounds: number): string {
    return pbkdf2Sync(password, 'salt', rounds, 64, 'sha512').toString('hex'); // guilty: hash
  }
}

@Injectable()
export class TextService {
  isMail(text: string): boolean {
    return /^([a-z0-9]+)+@$/.test(text); // guilty: isMail
  }

  distance(a: string, b: string): number {
    return leven(a, b); // guilty: distance
  }
}

@Injectable()
export class ExportService {
  private readonly rows = Array.from({ length: 2000 }, (_, id) => ({
    id,
    name: `Row ${id}`,
    tags: ['a', 'b', id],
  }));

  toJson(times: number): number {
    let length = 0;
    for (let time = 0; time < times; time++) length += JSON.stringify(this.rows).length; // guilty: toJson
    return length;
  }

  ranked(times: number): number {
    let first = 0;
    for (let time = 0; time < times; time++) {
      const names = Array.from({ length: 20_000 }, (_, at) => (at * 7919) % 20_011);
      names.sort((a, b) => Math.sin(a) - Math.sin(b)); // guilty: ranked
      first += names[0] as number;
    }
    return first;
  }

  compressed(times: number): number {
    const text = Buffer.alloc(1_000_000, 'nestjs performance, which line do I change? ');
    let length = 0;
    for (let time = 0; time < times; time++) length += gzipSync(text, { level: 9 }).length; // guilty: compressed
    return length;
  }
}

@Injectable()
export class ReportService {
  /** In pieces: others run between them. */
  async inTurns(pieces: number, rounds: number): Promise<number> {
    let sum = 0;
    for (let piece = 0; piece < pieces; piece++) {
      sum += this.renderPiece(rounds);
      await turn();
    }
    return sum;
  }

  async inTimers(pieces: number, rounds: number): Promise<number> {
    let sum = 0;
    for (let piece = 0; piece < pieces; piece++) {
      sum += this.renderRow(rounds);
      await later(1);
    }
    return sum;
  }

  /** In promises only: no other request runs, yet no callback is long. */
  async inPromises(pieces: number, rounds: number): Promise<number> {
    let sum = 0;
    for (let piece = 0; piece < pieces; piece++) sum += await this.renderCell(rounds);
    return sum;
  }

  @TrackPerformance('calculation', 50)
  async chart(pieces: number, rounds: number): Promise<number> {
    let sum = 0;
    for (let piece = 0; piece < pieces; piece++) {
      sum += this.drawChart(rounds);
      await turn();
    }
    return sum;
  }

  @TrackPerformance('calculation', 50)
  async legend(pieces: number, rounds: number): Promise<number> {
    let sum = 0;
    for (let piece = 0; piece < pieces; piece++) {
      sum += this.drawLegend(rounds);
      await turn();
    }
    return sum;
  }

  private renderPiece(rounds: number): number {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 33 + round) % 999_983; // guilty: renderPiece
    return sum;
  }

  private renderRow(rounds: number): number {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 35 + round) % 999_979; // guilty: renderRow
    return sum;
  }

  private async renderCell(rounds: number): Promise<number> {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 37 + round) % 999_961; // guilty: renderCell
    return sum;
  }

  private drawChart(rounds: number): number {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 39 + round) % 999_959; // guilty: drawChart
    return sum;
  }

  private drawLegend(rounds: number): number {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 41 + round) % 999_953; // guilty: drawLegend
    return sum;
  }
}

/** The neighbour: what it does is never the fault of another. */
@Injectable()
export class NoiseService {
  async make(pieces: number, rounds: number): Promise<number> {
    let sum = 0;
    for (let piece = 0; piece < pieces; piece++) {
      sum += this.burn(rounds);
      await turn();
    }
    return sum;
  }

  private burn(rounds: number): number {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum = (sum * 29 + round) % 999_931;
    return sum;
  }
}
