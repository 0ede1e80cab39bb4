import type { HttpEvidence } from '../../operation/operation.js';
import { duration, share } from './format.js';
import { StackedBar } from './stacked-bar.js';
import { visible } from './text.js';

/** Where a served request spent its time: before, in and after its handler. */
export function HttpStretches({ http, durationMs }: { http: HttpEvidence; durationMs: number }) {
  const { statusCode, aborted, handler, beforeHandlerMs, handlerMs, afterHandlerMs } = http;
  const stretches = [
    { key: 'before', name: 'Before the handler', what: 'middleware, body, guards', ms: beforeHandlerMs },
    {
      key: 'handler',
      name: 'The handler',
      what: handler === undefined ? 'pipes and the handler' : visible(handler, 200),
      ms: handlerMs,
    },
    { key: 'after', name: 'After the handler', what: 'serialization, writing', ms: afterHandlerMs },
  ].flatMap(({ ms, ...rest }) => (ms === undefined ? [] : [{ ...rest, ms }]));
  return (
    <div class="panel padded">
      <p class="facts top-facts">
        {statusCode !== undefined && <span class={statusCode >= 500 ? 'bad' : ''}>status {statusCode}</span>}
        {aborted === true && <span class="warn">the client went away</span>}
        {stretches.length === 0 && <span>it did not reach a handler</span>}
      </p>
      {stretches.length > 0 && (
        <>
          <StackedBar
            parts={stretches.map(({ key, name, ms }) => ({
              key,
              share: durationMs > 0 ? ms / durationMs : 0,
              tone: `stretch-${key}`,
              title: `${name}: ${duration(ms)}`,
            }))}
          />
          <dl class="legend">
            {stretches.map(({ key, name, what, ms }) => (
              <div key={key}>
                <dt>
                  <span class={`swatch stretch-${key}`} aria-hidden="true" />
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
