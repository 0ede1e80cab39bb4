import type { Attributes } from '@opentelemetry/api';
import type { Exemplar, NumberPoint } from './metric.js';
import { OVERFLOW, type SeriesBudget } from './series.js';

interface Counted {
  readonly attributes: Attributes;
  value: number;
  exemplar?: Exemplar;
}

/** The series of a counter. */
export class CounterTable {
  private readonly byKey = new Map<string, Counted>();
  private overflow: Counted | undefined;

  constructor(private readonly budget: SeriesBudget) {}

  /**
   * Counts one.
   * @param key the key of its series
   * @param attributesOf creates the attributes of a new series
   */
  add(key: string, attributesOf: () => Attributes, exemplar: Exemplar | undefined): void {
    let counted = this.byKey.get(key);
    if (counted === undefined) {
      if (this.budget.take()) {
        counted = { attributes: attributesOf(), value: 0 };
        this.byKey.set(key, counted);
      } else {
        this.overflow ??= { attributes: OVERFLOW, value: 0 };
        counted = this.overflow;
      }
    }
    counted.value++;
    if (exemplar !== undefined) counted.exemplar = exemplar;
  }

  *[Symbol.iterator](): Iterator<NumberPoint> {
    yield* this.byKey.values();
    if (this.overflow !== undefined) yield this.overflow;
  }

  clear(): void {
    this.byKey.clear();
    this.overflow = undefined;
  }
}
