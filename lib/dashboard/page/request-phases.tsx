import type { HttpEvidence } from '../../operation/operation.js';
import { duration, share } from './format.js';
import { StackedBar } from './stacked-bar.js';
import { visible } from './text.js';

/** The time that an incoming request spent before, in and after its handler. */
export function RequestPhases({ http, durationMs }: { http: HttpEvidence; durationMs: number }) {
  const { statusCode, aborted, handler, beforeHandlerMs, handlerMs, afterHandlerMs } = http;
  const { uploadMs, downloadMs } = http;
  const phases = [
    {
      key: 'before',
      name: 'Before the handler',
      what: 'middleware, body parsing, guards, pipes, interceptors',
      ms: beforeHandlerMs,
    },
    {
      key: 'handler',
      name: 'Handler',
      what: handler === undefined ? 'its method' : visible(handler, 200),
      ms: handlerMs,
    },
    {
      key: 'after',
      name: 'After the handler',
      what: 'interceptors, serialization, response',
      ms: afterHandlerMs,
    },
  ].flatMap(({ ms, ...rest }) => (ms === undefined ? [] : [{ ...rest, ms }]));
  return (
    <div class="panel padded">
      <p class="facts top-facts">
        {statusCode !== undefined && <span class={statusCode >= 500 ? 'bad' : ''}>status {statusCode}</span>}
        {aborted === true && <span class="warn">aborted by the client</span>}
        {uploadMs !== undefined && <span>waited {duration(uploadMs)} for the client's upload</span>}
        {downloadMs !== undefined && <span>waited {duration(downloadMs)} for the client to read</span>}
        {phases.length === 0 && <span>no handler reached</span>}
      </p>
      {phases.length > 0 && (
        <>
          <StackedBar
            parts={phases.map(({ key, name, ms }) => ({
              key,
              share: durationMs > 0 ? ms / durationMs : 0,
              tone: `phase-${key}`,
              title: `${name}: ${duration(ms)}`,
            }))}
          />
          <dl class="legend">
            {phases.map(({ key, name, what, ms }) => (
              <div key={key}>
                <dt>
                  <span class={`swatch phase-${key}`} aria-hidden="true" />
                  {name} <span class="soft">{what}</span>
                </dt>
                <dd>
                  <strong>{duration(ms)}</strong> {share(durationMs > 0 ? ms / durationMs : 0)}
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </div>
  );
}
