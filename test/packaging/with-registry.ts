import { describe, it } from '@jest/globals';
import { IN_CI, registryFault } from './registry';

const fault = registryFault();
export const hasRegistry = fault === undefined;

/** `describe` for what installs from the npm registry. Without one it is skipped, with a line that says so, or fails in CI. */
export const describeWithRegistry = hasRegistry ? describe : describe.skip;

if (fault !== undefined && IN_CI) {
  it('reaches the npm registry', () => {
    throw new Error(fault);
  });
} else if (fault !== undefined) process.stderr.write(`skipped: ${fault}\n`);
