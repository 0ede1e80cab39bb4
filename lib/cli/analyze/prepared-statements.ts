import type { Inputs, WorkKey } from '../../spans/work-group.js';
import type { RecordedRequest, RecordedSpan, RequestSpan } from './recorded-span.js';

/**
 * Gives the statement of a span that prepares it to those that execute it, which have the time and no text. What prepares a
 * statement is then no execution itself. Where it is not certain which statement is executed, none is given.
 */
export function joinPrepared(request: RecordedRequest): RecordedRequest {
  if (!request.some(({ span }) => span.part === 'prepare')) return request;
  const changed = new Map<RequestSpan, RecordedSpan>();
  const prepared = new Prepared();
  const inOrder = [...request].sort((a, b) => a.span.startedAt - b.span.startedAt);
  for (const one of inOrder) {
    const { span } = one;
    if (span.part === 'prepare') {
      if (span.key !== undefined) prepared.add(one, span.key);
      continue;
    }
    const from = prepared.of(one);
    if (from === undefined) continue;
    if (span.part === 'execute' && span.key === undefined) {
      if (from.isCertain)
        changed.set(one, { ...span, key: from.key, inputs: span.inputs ?? from.inputs, lacks: undefined });
    } else if (!from.includes(span.key)) continue;
    for (const each of from.take()) changed.set(each, { ...each.span, key: undefined });
  }
  return changed.size === 0 ? request : replaced(request, changed);
}

/** The statements that one of the next spans may execute. */
class Candidates {
  /** The statement that was prepared last. */
  key: WorkKey | undefined;
  /** Its values. Undefined if it was prepared with others, too. */
  inputs: Inputs | undefined;
  isExecuted = false;
  private readonly fingerprints = new Set<string>();
  private prepares: RequestSpan[] = [];

  /** Whether the same statement was prepared each time. */
  get isCertain(): boolean {
    return this.fingerprints.size === 1;
  }

  includes(key: WorkKey | undefined): boolean {
    return key !== undefined && this.fingerprints.has(key.fingerprint);
  }

  add(prepare: RequestSpan, key: WorkKey): void {
    const { inputs } = prepare.span;
    this.inputs = this.key === undefined || String(inputs) === String(this.inputs) ? inputs : undefined;
    this.key = key;
    this.fingerprints.add(key.fingerprint);
    this.prepares.push(prepare);
  }

  /** The spans that prepared them, each once. */
  take(): readonly RequestSpan[] {
    const { prepares } = this;
    this.isExecuted = true;
    this.prepares = [];
    return prepares;
  }
}

/** What was prepared: below each span since the last execution, and in the whole request. */
class Prepared {
  private readonly below = new Map<RequestSpan | undefined, Candidates>();
  private readonly byPrepare = new Map<RequestSpan, Candidates>();
  private readonly all = new Candidates();

  add(prepare: RequestSpan, key: WorkKey): void {
    const known = this.below.get(prepare.parent);
    const below = known === undefined || known.isExecuted ? new Candidates() : known;
    this.below.set(prepare.parent, below);
    below.add(prepare, key);
    const own = new Candidates();
    this.byPrepare.set(prepare, own);
    own.add(prepare, key);
    this.all.add(prepare, key);
  }

  /** What a span may execute: what was prepared beside it, around it, or the only statement of the request. */
  of({ parent, span }: RequestSpan): Candidates | undefined {
    const near = this.below.get(parent) ?? (parent && this.byPrepare.get(parent));
    if (near !== undefined) return near;
    return span.part === 'execute' && this.all.isCertain ? this.all : undefined;
  }
}

function replaced(
  request: RecordedRequest,
  changed: ReadonlyMap<RequestSpan, RecordedSpan>,
): RecordedRequest {
  const copies = new Map<RequestSpan, RequestSpan>();
  return request.map((one) => {
    const parent = one.parent && copies.get(one.parent);
    const copy = { span: changed.get(one) ?? one.span, parent, depth: one.depth };
    copies.set(one, copy);
    return copy;
  });
}
