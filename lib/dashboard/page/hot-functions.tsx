import type { HotFunction } from '../../profiling/hot-functions.js';
import { share } from './format.js';
import { shortPath, visible } from './text.js';

/** The functions that its own CPU time was spent in. */
export function HotFunctions({ functions }: { functions: readonly HotFunction[] }) {
  return (
    <dl class="panel padded legend">
      {functions.slice(0, 6).map((one, index) => (
        <div key={index}>
          <dt>
            <span class="mono">{visible(one.function, 120)}</span>{' '}
            <span class="soft mono">{placeOf(one)}</span>
          </dt>
          <dd>
            <strong>{share(one.share)}</strong>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function placeOf({ file, line, calledFrom }: HotFunction): string {
  if (calledFrom !== undefined)
    return visible(`from ${calledFrom.function} (${shortPath(calledFrom.file, 0)}:${calledFrom.line})`, 200);
  return file === undefined ? '' : visible(`${shortPath(file, 0)}:${line ?? ''}`, 200);
}
