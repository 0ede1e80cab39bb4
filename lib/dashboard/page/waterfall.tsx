import { useState } from 'preact/hooks';
import { duration, number } from './format.js';
import { visible } from './text.js';
import { toneOf } from './type-tag.js';
import { inOrder, type WaterfallData } from './waterfall-rows.js';

const SHOWN = 30;
const MAX_INDENT = 8;

/** The spans of an operation on a time axis, in start order. */
export function Waterfall({ waterfall: { spans, omitted } }: { waterfall: WaterfallData }) {
  const [all, setAll] = useState(false);
  const rows = inOrder(spans);
  const wholeMs = Math.max(0.001, ...spans.map(({ startMs, durationMs }) => startMs + durationMs));
  return (
    <div class="panel padded">
      <div class="waterfall-scale" aria-hidden="true">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => (
          <span key={part}>{part === 0 ? '0' : duration(part * wholeMs)}</span>
        ))}
      </div>
      <ol class="waterfall">
        {(all ? rows : rows.slice(0, SHOWN)).map(({ index, depth, span }) => (
          <li key={index}>
            <span class="waterfall-name" style={{ paddingLeft: `${Math.min(depth, MAX_INDENT) * 12}px` }}>
              <span class={`swatch ${toneOf(span.type)}`} aria-hidden="true" />
              <span class="mono clip" title={visible(span.name, 300)}>
                {visible(span.name, 200)}
              </span>
              {span.error && <span class="chip bad">failed</span>}
              <span class="hidden">
                , {visible(span.type, 64)}, starts at {duration(span.startMs)}, takes
              </span>
            </span>
            <span class="waterfall-track">
              <span
                class={`waterfall-bar ${toneOf(span.type)}`}
                style={{
                  left: `${(span.startMs / wholeMs) * 100}%`,
                  width: `${Math.max(0.3, (span.durationMs / wholeMs) * 100)}%`,
                }}
              />
            </span>
            <span class="waterfall-ms">{duration(span.durationMs)}</span>
          </li>
        ))}
      </ol>
      {rows.length > SHOWN && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? `Show the first ${SHOWN} spans` : `Show all ${number(rows.length)} spans`}
        </button>
      )}
      {omitted > 0 && <p class="note">{number(omitted)} more spans were not recorded.</p>}
    </div>
  );
}
