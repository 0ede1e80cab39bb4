// Profiles by OTLP: what the Collector made of them.

import { assert, eventually } from '../results.mjs';

const SLOW_MS = 90_000;

/** A slow operation's profile has the link of its span and the names of its functions. */
export function checkOtlpProfiles(results, { profiling, shop, job }) {
  return results.check('the profile of a slow operation has passed a Collector by OTLP', async () => {
    const found = await eventually(
      'a profile with the link of a slow operation and the function that ran most in it',
      async () => {
        for (const { traceId, spanId, topFunctions = [] } of await shop.ask('slow')) {
          const [top] = topFunctions;
          if (top === undefined) continue;
          const isOwn = (sample) => sample.spanId === spanId && sample.traceId === traceId;
          const profile = profiling.profiles.find(({ samples }) => samples.some(isOwn));
          if (profile !== undefined) return { profile, top: top.function, isOwn };
        }
        return undefined;
      },
      { timeoutMs: SLOW_MS, everyMs: 1000 },
    );
    const { profile, top, isOwn } = found;
    const { resource, type, unit, samples } = profile;
    assert(resource['service.name'] === job, `Its service is ${resource['service.name']}`);
    assert(
      resource['service.instance.id'] === shop.name,
      `Its instance is ${resource['service.instance.id']}, not ${shop.name}`,
    );
    assert(type === 'cpu' && unit === 'nanoseconds', `Its samples are ${type} in ${unit}`);
    assert(samples.every(isOwn), 'A sample has another link');
    assert(
      samples.every(({ nanoseconds }) => nanoseconds > 0),
      'A sample has no time',
    );
    const names = new Set(samples.flatMap(({ frames }) => frames));
    assert(names.has(top), `${top} is not among ${[...names].slice(0, 20)}`);
    return `${samples.length} samples, ${top}`;
  });
}
