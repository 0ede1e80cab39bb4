import { PARTS } from '../statistics/operation-window.js';

const WEIGHT = PARTS.length;

/** The mean milliseconds per operation of each of {@link PARTS}. */
export class PartMeans {
  /** The means, then their common weight. */
  readonly numbers = new Float32Array(PARTS.length + 1);

  get weight(): number {
    return this.numbers[WEIGHT] as number;
  }

  /** In the order of {@link PARTS}; undefined without any weight. */
  get means(): readonly number[] | undefined {
    return this.weight > 0 ? Array.from(this.numbers.subarray(0, WEIGHT)) : undefined;
  }

  add(parts: ArrayLike<number>, weight: number): void {
    if (!(weight > 0)) return;
    const { numbers } = this;
    const total = this.weight + weight;
    for (let part = 0; part < WEIGHT; part++)
      (numbers[part] as number) += (((parts[part] as number) - (numbers[part] as number)) * weight) / total;
    numbers[WEIGHT] = total;
  }

  decay(factor: number): void {
    (this.numbers[WEIGHT] as number) *= factor;
  }

  merge(other: PartMeans): void {
    this.add(other.numbers, other.weight);
  }
}
