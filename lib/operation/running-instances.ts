import { randomBytes } from 'node:crypto';
import { processWide } from '../async/process-wide.js';
import type { Instance } from './instance.js';

/** Applications beyond it have a random number. */
export const MAX_RUNNING = 1000;

/** The ids of the applications that run in this process, with their services. */
const running = processWide('running-instances', () => new Set<string>());

/**
 * Gives the instance of an application that starts a number, unless no other of its service runs in this process: the first
 * has the id of the resource of the process, the second one `ID.2`.
 * @returns a function for its end, after which another application can have its id
 */
export function joinRunning(instance: Instance, service: string): () => void {
  const { id, key } = instance;
  const isFull = running.size >= MAX_RUNNING;
  const nameOf = (suffix: string): string => JSON.stringify([service, `${id}${suffix}`]);
  let suffix = isFull ? `.${randomBytes(6).toString('hex')}` : '';
  for (let number = 2; running.has(nameOf(suffix)); number++) suffix = `.${number}`;
  // What was made for the application has this object: it is changed and not replaced.
  if (suffix !== '') Object.assign(instance, { id: `${id}${suffix}`, key: `${key}${suffix}` });
  if (isFull) return () => {};
  const name = nameOf(suffix);
  running.add(name);
  return () => void running.delete(name);
}
