import { cleanLogText, MAX_RAW_LINE } from './log-text.js';
import type { LineRing, LogLine, OperationLog, RawLine } from './operation-log.js';
import type { RequestState } from './request-state.js';

/** The characters that the lines of all running requests may have together. A line counts as {@link LINE} more. */
export const MAX_CHARACTERS = 2_000_000;
const LINE = 100;
const MAX_CONTEXT = 100;

const sizeOf = ({ message, context = '' }: RawLine): number => LINE + message.length + context.length;

/** The last log lines of each running request. Once there are too many, the request that logged first loses its lines. */
export class RequestLines {
  private readonly rings = new Set<LineRing>();
  private held = 0;

  /** @param perRequest lines that are kept of one request */
  constructor(private readonly perRequest: number) {}

  /** The characters that are held. */
  get characters(): number {
    return this.held;
  }

  /** Adds a line. @param now milliseconds on the clock of `performance.now()` */
  add(
    request: RequestState,
    now: number,
    { level, context, message }: Pick<LogLine, 'level' | 'message'> & { context?: string | undefined },
  ): void {
    request.lines ??= { lines: [], omitted: 0 };
    const ring = request.lines;
    const line: RawLine = {
      at: now,
      level: level.slice(0, MAX_CONTEXT),
      context: context?.slice(0, MAX_CONTEXT),
      message: message.slice(0, MAX_RAW_LINE),
    };
    this.rings.add(ring);
    ring.lines.push(line);
    this.held += sizeOf(line);
    if (ring.lines.length > this.perRequest) {
      this.held -= sizeOf(ring.lines.shift() as RawLine);
      ring.omitted++;
    }
    if (this.held > MAX_CHARACTERS) this.makeRoom();
  }

  /** The lines since the start of an operation, cleaned; undefined if there are none. @param startedAt on the same clock */
  since(startedAt: number, { lines: ring }: RequestState): OperationLog | undefined {
    if (ring === undefined) return undefined;
    const own = ring.lines.filter(({ at }) => at >= startedAt);
    // What was dropped is older than what is there.
    const omitted = own.length === ring.lines.length ? ring.omitted : 0;
    if (own.length === 0) return undefined;
    const lines = own.map((line) => ({
      ...cleanedOf(line),
      offsetMs: Math.max(0, Math.round(line.at - startedAt)),
    }));
    return { lines, omitted };
  }

  /** A request has ended: its lines are no longer needed. */
  release(request: RequestState): void {
    if (request.lines === undefined) return;
    this.drop(request.lines);
    request.lines = undefined;
  }

  private makeRoom(): void {
    for (const ring of this.rings) {
      if (this.held <= MAX_CHARACTERS) return;
      this.drop(ring);
    }
  }

  private drop(ring: LineRing): void {
    if (!this.rings.delete(ring)) return;
    ring.omitted += ring.lines.length;
    for (const line of ring.lines.splice(0)) this.held -= sizeOf(line);
  }
}

function cleanedOf(line: RawLine): Pick<LogLine, 'level' | 'context' | 'message'> {
  const { level, context } = line;
  line.cleaned ??= {
    level: cleanLogText(level),
    ...(context === undefined || context === '' ? {} : { context: cleanLogText(context) }),
    message: cleanLogText(line.message),
  };
  return line.cleaned;
}
