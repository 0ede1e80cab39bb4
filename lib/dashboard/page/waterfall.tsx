import { useState } from 'preact/hooks';
import { duration, number } from './format.js';
import { visible } from './text.js';
import { toneOf } from './type-tag.js';
import { foldedRows, type WaterfallData, type WaterfallRow, type WaterfallSpan } from './waterfall-rows.js';

const SHOWN = 30;
const MAX_INDENT = 8;

/** The spans of an operation on a time axis, in start order. Repetitions share a row until they are unfolded. */
export function Waterfall({ waterfall: { spans, omitted } }: { waterfall: WaterfallData }) {
  const [all, setAll] = useState(false);
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const rows = foldedRows(spans, unfolded);
  const wholeMs = Math.max(0.001, ...spans.map(({ startMs, durationMs }) => startMs + durationMs));
  return (
    <div class="panel padded">
      <div class="waterfall-scale" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part}>{duration(part * wholeMs)}</span>
        ))}
      </div>
      <ol class="waterfall">
        {(all ? rows : rows.slice(0, SHOWN)).map((row) => (
          <Row
            key={row.index}
            row={row}
            wholeMs={wholeMs}
            unfold={() => setUnfolded(new Set([...unfolded, row.index]))}
          />
        ))}
      </ol>
      {rows.length > SHOWN && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? `Show the first ${SHOWN} rows` : `Show all ${number(rows.length)} rows`}
        </button>
      )}
      {omitted > 0 && <p class="note">{number(omitted)} more spans were not recorded.</p>}
    </div>
  );
}

function Row({ row, wholeMs, unfold }: { row: WaterfallRow; wholeMs: number; unfold(): void }) {
  const { depth, span, spans } = row;
  const failed = spans.filter(({ error }) => error).length;
  const totalMs = spans.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const name = visible(span.name, 200);
  return (
    <li>
      <span class="waterfall-name" style={{ paddingLeft: `${Math.min(depth, MAX_INDENT) * 12}px` }}>
        <span class={`swatch ${toneOf(span.type)}`} aria-hidden="true" />
        <span class="mono clip" title={visible(span.name, 300)}>
          {name}
        </span>
        {spans.length > 1 && (
          <button
            type="button"
            class="chip"
            onClick={unfold}
            aria-label={`Show each of ${spans.length} ${name}`}
          >
            ×{number(spans.length)}
          </button>
        )}
        {failed > 0 && (
          <span class="chip bad">{spans.length > 1 ? `${number(failed)} failed` : 'failed'}</span>
        )}
        <span class="hidden">
          , {visible(span.type, 64)}, starts at {duration(span.startMs)}, takes
        </span>
      </span>
      <span class="waterfall-track">
        {spans.map((one, index) => (
          <Bar key={index} span={one} wholeMs={wholeMs} />
        ))}
      </span>
      <span class="waterfall-ms">{duration(totalMs)}</span>
    </li>
  );
}

function Bar({ span: { type, startMs, durationMs }, wholeMs }: { span: WaterfallSpan; wholeMs: number }) {
  return (
    <span
      class={`waterfall-bar ${toneOf(type)}`}
      style={{
        left: `${(startMs / wholeMs) * 100}%`,
        width: `${Math.max(0.3, (durationMs / wholeMs) * 100)}%`,
      }}
    />
  );
}
