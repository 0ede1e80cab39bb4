import type { DriverStatus } from '../../operation/driver-status.js';
import { HealthyIcon, WarningIcon } from './icons.js';
import { Section } from './section.js';
import { visible } from './text.js';

/** The instrumentation of each library, and advice for those whose work is not recorded. */
export function Drivers({ drivers }: { drivers: readonly DriverStatus[] }) {
  const seen = drivers.filter((one) => one.seen);
  const unseen = drivers.filter((one) => !one.seen);
  return (
    <Section id="drivers" title="Instrumentation">
      <div class="panel padded">
        {drivers.length === 0 && <p class="empty">No instrumented libraries.</p>}
        {unseen.map(({ driver, version, how, advice }) => (
          <div key={driver} class="driver">
            <p>
              <span class="severity warning">
                <WarningIcon />
                not recorded
              </span>
              <strong class="mono">{visible(driver, 100)}</strong> <span class="soft mono">{version}</span>
              <span class="soft">{visible(how, 300)}</span>
            </p>
            {advice !== undefined && <p class="advice">{visible(advice, 600)}</p>}
          </div>
        ))}
        {seen.length > 0 && (
          <ul class="drivers">
            {seen.map(({ driver, version, how }) => (
              <li key={driver}>
                <span class="good">
                  <HealthyIcon />
                  <span class="hidden">recorded:</span>
                </span>
                <span>
                  <strong class="mono">{visible(driver, 100)}</strong>{' '}
                  <span class="soft mono">{version}</span>
                  <small class="soft">{visible(how, 200)}</small>
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Section>
  );
}
