import type { PerformanceAlert } from '../../alerting/alert.js';
import type { BurnCount, BurnRate, BurnWindow } from '../../alerting/burn-rate.js';
import type { Overview } from '../overview.js';
import { duration, moment, NONE, number, percent } from './format.js';
import { CriticalIcon } from './icons.js';
import { Section } from './section.js';
import { visible } from './text.js';

const WINDOWS: readonly BurnWindow[] = ['5m', '30m', '1h', '6h', '3d'];

/** Firing alerts, objectives and the history of alerts. */
export function Alerts({ overview: { at, alerts } }: { overview: Overview }) {
  const { active, recent, burnRates } = alerts;
  return (
    <Section id="alerts" title="Alerts" count={active.length}>
      <div class="stack">
        {active.length === 0 ? (
          <p class="panel empty">No firing alerts.</p>
        ) : (
          <ul class="findings">
            {active.map(({ rule, subject, firedAt }) => (
              <li key={`${rule} ${subject}`} class="panel finding critical">
                <p class="finding-head">
                  <span class="severity critical">
                    <CriticalIcon />
                    firing
                  </span>
                  <strong>{visible(rule, 100)}</strong>
                  {subject !== undefined && <span class="mono soft clip">{visible(subject, 200)}</span>}
                  <span class="soft">for {duration(at - firedAt)}</span>
                </p>
              </li>
            ))}
          </ul>
        )}
        {burnRates.length > 0 && <Objectives burnRates={burnRates} />}
        {recent.length > 0 && <History recent={recent} now={at} />}
      </div>
    </Section>
  );
}

function Objectives({ burnRates }: { burnRates: readonly BurnRate[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section class="panel table-scroll" tabIndex={0} aria-label="Objectives">
      <table class="plain wide-cells">
        <caption>Burn rates of the error budgets: at ×1 the budget lasts exactly for its period</caption>
        <thead>
          <tr>
            <th scope="col">Objective</th>
            {WINDOWS.map((window) => (
              <th key={window} scope="col">
                {window}
              </th>
            ))}
            <th scope="col">Budget left</th>
          </tr>
        </thead>
        <tbody>
          {burnRates.map((one) => (
            <tr key={one.slo}>
              <th scope="row">
                <span class="name">{visible(one.slo, 120)}</span>
                <small class="soft">
                  {percent(one.objective * 100)}
                  {one.thresholdMs === undefined ? '' : ` within ${number(one.thresholdMs)} ms`}
                </small>
              </th>
              {WINDOWS.map((window) => (
                <td key={window}>
                  <Rate count={one.windows[window]} />
                </td>
              ))}
              <td>
                <strong class={(one.budgetRemaining ?? 1) < 0 ? 'bad' : ''}>
                  {one.budgetRemaining === undefined ? NONE : percent(one.budgetRemaining * 100)}
                </strong>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Rate({ count: { rate, bad, total } }: { count: BurnCount }) {
  if (rate === undefined) return <span class="faint">{NONE}</span>;
  return (
    <span class={rate > 6 ? 'bad' : rate > 1 ? 'warn' : ''} title={`${bad} of ${total} missed the objective`}>
      ×{number(rate)}
    </span>
  );
}

function History({ recent, now }: { recent: readonly PerformanceAlert[]; now: number }) {
  return (
    <details class="panel padded">
      <summary>
        History <span class="count">{recent.length}</span>
      </summary>
      <ol class="history">
        {recent.map(({ id, state, rule, timestamp, summary, severity }) => (
          <li key={`${id} ${state}`}>
            <span class="soft">{moment(timestamp, now)}</span>
            <span class={state === 'firing' ? (severity === 'critical' ? 'bad' : 'warn') : 'good'}>
              {state}
            </span>
            <span>
              <span class="mono">{visible(rule, 100)}</span> <span class="soft">{visible(summary, 600)}</span>
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
