import { useState } from 'preact/hooks';
import type { DetailedFinding } from '../../explain/finding.js';
import type { OperationLog } from '../../spans/operation-log.js';
import { duration, plural } from './format.js';
import { visible } from './text.js';

/** The last lines that an execution logged. */
export function LogLines({ log: { lines, omitted } }: { log: OperationLog }) {
  return (
    <div class="panel padded log">
      {omitted > 0 && <p class="note">{plural(omitted, 'earlier line')} not kept</p>}
      <ol>
        {lines.map(({ level, offsetMs, context, message }, index) => (
          <li key={index}>
            <span class="soft">+{duration(offsetMs)}</span>
            <span class={TONES.get(level) ?? 'soft'}>{visible(level, 20)}</span>
            <span>
              {context !== undefined && <span class="soft">{visible(context, 100)} </span>}
              {visible(message)}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

const TONES: ReadonlyMap<string, string> = new Map([
  ['fatal', 'bad'],
  ['error', 'bad'],
  ['warn', 'warn'],
]);

/** What the latest failed execution of a finding logged, loaded once it is opened. */
export function FindingLog({ id }: { id: string }) {
  const [log, setLog] = useState<OperationLog | string>('Loading…');
  const load = async (): Promise<void> => {
    try {
      const response = await fetch(`findings/${encodeURIComponent(id)}`);
      const finding = response.ok ? ((await response.json()) as DetailedFinding) : undefined;
      setLog(
        finding?.log ?? (finding === undefined ? 'The log could not be loaded.' : 'Nothing was logged.'),
      );
    } catch {
      setLog('The log could not be loaded.');
    }
  };
  return (
    <details class="finding-log" onToggle={({ currentTarget }) => currentTarget.open && void load()}>
      <summary>Log of the latest failure</summary>
      {typeof log === 'string' ? <p class="soft">{log}</p> : <LogLines log={log} />}
    </details>
  );
}
