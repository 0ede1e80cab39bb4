import { Injectable } from '@nestjs/common';

const COLUMNS = Array.from({ length: 60 }, (_, n) => n);

/** Allocates and keeps so much that garbage collection takes most of the time. */
@Injectable()
export class StatementService {
  copies(count: number): number {
    const rows: number[][] = [];
    for (let n = 0; n < count; n++) rows.push(COLUMNS.concat([n])); // call site: gc-copies
    return rows.length;
  }

  /** Keeps a copy of the state after each change. */
  snapshots(count: number): number {
    const state = new Array<number>(40).fill(0);
    const history: { at: number; state: number[] }[] = [];
    // A profile may attribute it to the head of the loop.
    // call site: gc-snapshots
    for (let at = 0; at < count; at++) {
      state[at % 40] = at;
      history.push({ at, state: [...state] }); // call site: gc-snapshots
    }
    return history.length;
  }
}
