/** The spans of a slow operation; the first is the operation itself. `startMs` counts from its start. */
export interface WaterfallData {
  readonly spans: readonly WaterfallSpan[];
  /** The number of further spans, which were not recorded. */
  readonly omitted: number;
}

export interface WaterfallSpan {
  readonly name: string;
  readonly type: string;
  readonly startMs: number;
  readonly durationMs: number;
  /** The index of the parent span; -1 for the operation itself. */
  readonly parent: number;
  readonly error?: boolean;
}

/** A span in its place. */
export interface PlacedSpan {
  readonly index: number;
  /** The index of the span above it; -1 for the operation itself. */
  readonly parent: number;
  readonly depth: number;
  readonly span: WaterfallSpan;
}

/** A row of the waterfall: one span, or repetitions of one. */
export interface WaterfallRow extends PlacedSpan {
  /** The spans of the row, `span` first. */
  readonly spans: readonly WaterfallSpan[];
}

/** So many repetitions share a row. */
const MIN_FOLDED = 3;

/**
 * The rows in order. Repetitions (siblings of one name and type without spans below them) share the row of the first.
 * @param unfolded indices of first spans whose repetitions are shown one by one
 */
export function foldedRows(
  spans: readonly WaterfallSpan[],
  unfolded: ReadonlySet<number> = new Set(),
): WaterfallRow[] {
  const placed = inOrder(spans);
  const runs = new Map<string, PlacedSpan[]>();
  const runOf = placed.map((one, at) => {
    if ((placed[at + 1]?.depth ?? 0) > one.depth) return [one];
    const key = `${one.parent}\n${one.span.type}\n${one.span.name}`;
    const run = runs.get(key) ?? [];
    runs.set(key, run);
    run.push(one);
    return run;
  });
  return placed.flatMap((one, at): WaterfallRow[] => {
    const [first = one, ...others] = runOf[at] ?? [];
    if (others.length + 1 < MIN_FOLDED || unfolded.has(first.index)) return [{ ...one, spans: [one.span] }];
    return first === one ? [{ ...one, spans: [first, ...others].map(({ span }) => span) }] : [];
  });
}

/** Each span after its parent, siblings in start order. */
export function inOrder(spans: readonly WaterfallSpan[]): PlacedSpan[] {
  const children = new Map<number, number[]>();
  spans.forEach(({ parent }, index) => {
    // A span whose parent is not recorded becomes a child of the operation.
    const parentIndex =
      index === 0 ? -1 : parent >= 0 && parent < spans.length && parent !== index ? parent : 0;
    const siblings = children.get(parentIndex) ?? [];
    siblings.push(index);
    children.set(parentIndex, siblings);
  });
  const rows: PlacedSpan[] = [];
  const pending = (children.get(-1) ?? []).map((index) => ({ index, parent: -1, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { index, parent, depth } = next;
    const span = spans[index];
    if (span === undefined) continue;
    rows.push({ index, parent, depth, span });
    const inside = (children.get(index) ?? []).sort((a, b) => startOf(spans, b) - startOf(spans, a));
    for (const child of inside) pending.push({ index: child, parent: index, depth: depth + 1 });
  }
  return rows;
}

function startOf(spans: readonly WaterfallSpan[], index: number): number {
  return spans[index]?.startMs ?? 0;
}
