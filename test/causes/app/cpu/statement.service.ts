import { Injectable } from '@nestjs/common';

const COLUMNS = Array.from({ length: 20 }, (_, n) => n);

/** Copies and keeps so much that most of the time is the collector's. */
@Injectable()
export class StatementService {
  copies(count: number): number {
    const rows: number[][] = [];
    for (let n = 0; n < count; n++) rows.push(COLUMNS.concat([n])); // call site: gc-copies
    return rows.length;
  }

  /** Keeps what the state was after each change. */
  snapshots(count: number): number {
    const state = new Array<number>(40).fill(0);
    const history: { at: number; state: number[] }[] = [];
    // A profile may count it at the loop's head.
    // call site: gc-snapshots
    for (let at = 0; at < count; at++) {
      state[at % 40] = at;
      history.push({ at, state: [...state] }); // call site: gc-snapshots
    }
    return history.length;
  }
}
