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

/** Each span after its parent, siblings in start order. */
export function inOrder(
  spans: readonly WaterfallSpan[],
): { index: number; depth: number; span: WaterfallSpan }[] {
  const children = new Map<number, number[]>();
  spans.forEach(({ parent }, index) => {
    // A span whose parent is not recorded becomes a child of the operation.
    const parentIndex =
      index === 0 ? -1 : parent >= 0 && parent < spans.length && parent !== index ? parent : 0;
    const siblings = children.get(parentIndex) ?? [];
    siblings.push(index);
    children.set(parentIndex, siblings);
  });
  const rows: { index: number; depth: number; span: WaterfallSpan }[] = [];
  const pending = (children.get(-1) ?? []).map((index) => ({ index, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { index, depth } = next;
    const span = spans[index];
    if (span === undefined) continue;
    rows.push({ index, depth, span });
    const inside = (children.get(index) ?? []).sort((a, b) => startOf(spans, b) - startOf(spans, a));
    for (const child of inside) pending.push({ index: child, depth: depth + 1 });
  }
  return rows;
}

function startOf(spans: readonly WaterfallSpan[], index: number): number {
  return spans[index]?.startMs ?? 0;
}
