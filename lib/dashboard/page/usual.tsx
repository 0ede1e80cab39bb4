import type { SlowOperation } from '../../explain/slow-operation.js';
import type { OperationBaseline } from '../../operation/operation.js';
import { duration, number } from './format.js';

/** How long it took beside what it usually takes and what it may take. */
export function BaselineLatency({
  operation,
  baseline,
}: {
  operation: SlowOperation;
  baseline: OperationBaseline;
}) {
  const { durationMs, thresholdMs } = operation;
  const { p50Ms, p95Ms, ratio } = baseline;
  const rows = [
    { name: 'This one', ms: durationMs, tone: 'usual-this' },
    { name: 'Threshold', ms: thresholdMs, tone: 'usual-limit' },
    { name: 'Usual p95', ms: p95Ms, tone: 'usual-past' },
    { name: 'Usual p50', ms: p50Ms, tone: 'usual-past' },
  ];
  const most = Math.max(...rows.map(({ ms }) => ms));
  return (
    <div class="panel padded">
      <p class="facts top-facts">
        {ratio >= 1.1 ? `×${number(ratio)} its usual median` : 'It takes that long usually'}
      </p>
      <dl class="usual">
        {rows.map(({ name, ms, tone }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span class="usual-track" aria-hidden="true">
                <span class={tone} style={{ width: `${Math.max(0.5, (ms / most) * 100)}%` }} />
              </span>
              {duration(ms)}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
