import { type BaselineSnapshot, hostPart } from './baseline-snapshot.js';

const PID = /-(\d+)-[0-9a-f]{12}$/;

/**
 * Whether the run of a snapshot is over: it said so, it was not saved since `staleAt`, or its process is none of this
 * machine any more. Of processes elsewhere that is not known.
 */
export function isOverRun({ instance, savedAt, ended }: BaselineSnapshot, staleAt: number): boolean {
  if (ended === true || savedAt < staleAt) return true;
  const pid = Number(PID.exec(instance)?.[1]);
  if (!Number.isInteger(pid) || !instance.startsWith(`${hostPart()}-${pid}-`)) return false;
  // A container's only process has the number of the one before.
  return pid === process.pid || !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
