// Real programs under a small heap limit: leaking ones run until they are out of memory.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { print, table } from '../support/figures.mjs';

const AT_A_TIME = 2;
/**
 * Healthy programs get a small young generation, so that many major collections could cause a false alarm;
 * leaking ones have V8's default, with few collections.
 */
const FLAGS = {
  healthy: ['--max-old-space-size=64', '--max-semi-space-size=1'],
  leaking: ['--max-old-space-size=64'],
};
/** The duration relative to the given seconds. */
const LONGER = { 'leaking-slowly': 3 };
const names = readdirSync(new URL('./programs/', import.meta.url)).map((file) => file.replace('.mjs', ''));

export async function runPrograms(only, seconds) {
  const waiting = names.filter((name) => name.includes(only));
  const results = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      results.push(
        await runProgram(name, seconds * (LONGER[name] ?? (name.startsWith('leaking') ? 1.5 : 1))),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  results.sort((a, b) => a.name.localeCompare(b.name));
  table(
    ['program', 'readings', 'suspected', 'confirmed', 'end', 'time left: reported / true', 'words'],
    results.map(row),
  );
  summarize(results);
}

async function runProgram(name, seconds) {
  const served = fileURLToPath(new URL('./served.mjs', import.meta.url));
  const execArgv = FLAGS[name.split('-')[0]];
  // Drops the output of V8 when it is out of memory.
  const child = fork(served, [name, String(seconds)], { execArgv, silent: true });
  for (const stream of [child.stdout, child.stderr]) stream.resume();
  const readings = [];
  child.on('message', (message) => {
    if (message.t !== undefined) readings.push(message);
  });
  const begun = Date.now();
  const [code, signal] = await once(child, 'exit');
  return { name, readings, ranOut: code !== 0, signal, seconds: (Date.now() - begun) / 1000 };
}

/** A reading as a share of its limit. */
function shareOf({ heapUsed, heapLimitBytes, external }, leak) {
  return leak.memory === 'heap' ? heapUsed / heapLimitBytes : external / leak.limitBytes;
}

/** The first reading with a verdict of a state, with the reported and the true time left. */
export function first({ readings, ranOut, seconds }, state) {
  const at = readings.find(({ leaks }) => leaks.some((leak) => leak.state === state));
  if (at === undefined) return undefined;
  const leak = at.leaks.find((one) => one.state === state);
  const reported = leak.timeToLimitMs / 1000;
  return {
    t: at.t,
    leak,
    share: shareOf(at, leak),
    reported,
    truth: ranOut ? seconds - at.t : extrapolated(readings, at, leak),
  };
}

/** The time to the limit at the rate from there to the end of the run. */
function extrapolated(readings, at, { memory, limitBytes }) {
  const held = (reading) => (memory === 'heap' ? reading.heapUsed : reading.external);
  const later = readings.filter((reading) => reading.t > at.t && Number.isFinite(held(reading)));
  const last = later.at(-1);
  if (last === undefined) return Number.NaN;
  const rate = (held(last) - held(at)) / (last.t - at.t);
  return (limitBytes - held(at)) / rate;
}

function row(result) {
  const [suspected, confirmed] = [first(result, 'suspect'), first(result, 'confirmed')];
  const when = (seen) =>
    seen === undefined
      ? '-'
      : `${seen.t.toFixed(0)} s, ${(100 * seen.share).toFixed(0)} %, ${seen.leak.memory}`;
  const best = confirmed ?? suspected;
  return [
    result.name,
    String(result.readings.filter(({ heapUsed }) => Number.isFinite(heapUsed)).length),
    when(suspected),
    when(confirmed),
    `${result.ranOut ? 'out of memory' : 'ended'}, ${result.seconds.toFixed(0)} s`,
    best === undefined ? '-' : `${best.reported.toFixed(0)} s / ${best.truth.toFixed(0)} s`,
    result.readings.findLast(({ leaks }) => leaks.length > 0)?.leaks[0].explanation ?? '',
  ];
}

function summarize(results) {
  const leaking = results.filter(({ name }) => name.startsWith('leaking'));
  const healthy = results.filter(({ name }) => name.startsWith('healthy'));
  for (const states of [['suspect', 'confirmed'], ['confirmed']]) {
    const seen = (result) => states.map((state) => first(result, state)).find((one) => one !== undefined);
    const found = leaking.map(seen).filter((one) => one !== undefined);
    const early = found.filter(({ share }) => share < 0.7).length;
    const near = found.filter(({ reported, truth }) => reported / truth > 0.5 && reported / truth < 2).length;
    const false_ = healthy.filter((result) => seen(result) !== undefined).map(({ name }) => name);
    print(
      `${states.join(' or ')}: ${early} of ${leaking.length} leaks before 70 % of the limit; time left within a factor of 2 in ${near} of ${found.length}; false alarms ${false_.length} of ${healthy.length} ${false_.join(', ')}`,
    );
  }
}
