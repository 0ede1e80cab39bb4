// Compares counts with those that are recorded.

/** By how much a count may exceed its record, by its unit: what follows the colon of its name. Others may not exceed it. */
const TOLERANCES = new Map([
  // 0.5 % between runs.
  ['bytes allocated', 0.02],
  // 0.4 % between runs, and as much between versions of one line of Node.
  ['calls', 0.01],
  ['bytes', 0.02],
  ['files', 0.02],
]);
/** Versions of one line of Node allocate up to 9 % more or less. */
const TOLERANCES_OF_OTHER_VERSION = new Map([...TOLERANCES, ['bytes allocated', 0.1]]);

/**
 * The counts that exceed their record, a sentence for each. What costs less is not reported.
 * @param recorded counts by their names
 * @param present the same, of now
 * @param isSameVersion whether the same minor version of Node has counted both
 */
export function excesses(recorded, present, isSameVersion) {
  const tolerances = isSameVersion ? TOLERANCES : TOLERANCES_OF_OTHER_VERSION;
  const sentences = [];
  for (const [name, count] of Object.entries(present)) {
    const tolerance = tolerances.get(name.slice(name.indexOf(': ') + 2)) ?? 0;
    if (!Object.hasOwn(recorded, name)) sentences.push(`${name}: ${figure(count)} now, and none recorded`);
    else if (!(count <= recorded[name] * (1 + tolerance)))
      sentences.push(
        `${name}: ${figure(count)} now, ${figure(recorded[name])} recorded, ${change(recorded[name], count)}; ` +
          `at most +${tolerance * 100} % is allowed`,
      );
  }
  for (const name of Object.keys(recorded))
    if (!Object.hasOwn(present, name))
      sentences.push(`${name}: ${figure(recorded[name])} recorded, not counted now`);
  return sentences;
}

/** A count with separators between thousands. */
export function figure(count) {
  return count.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** By how much a count has changed, in percent. */
export function change(from, to) {
  const percent = ((to - from) / from) * 100;
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`;
}
