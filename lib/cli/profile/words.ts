import type { ProfileType } from '../../profiling/profile-info.js';
import type { CapturedProfile } from './endpoint-client.js';

/** V8's own, or gzipped pprof. */
export type ProfileFormat = 'native' | 'pprof';

const NAMES: Readonly<Record<ProfileType, string>> = {
  cpu: 'CPU profile',
  allocations: 'profile of allocations',
  heap_snapshot: 'heap snapshot',
};

/** `CPU profile, 10 s, 9843 samples, 1.2 MB` */
export function summaryOf({ type, durationMs, samples }: CapturedProfile, bytes: number): string {
  const parts = [NAMES[type]];
  if (type !== 'heap_snapshot') parts.push(`${Math.round(durationMs / 100) / 10} s`);
  if (samples !== undefined) parts.push(`${samples} samples`);
  parts.push(bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e5) / 10} MB`);
  return parts.join(', ');
}

/** What reads it. */
export function howToOpen(type: ProfileType, format: ProfileFormat, path: string): string {
  if (format === 'pprof') return `Open it: go tool pprof -http=: ${path}, or https://www.speedscope.app`;
  if (type === 'heap_snapshot') return 'Open it: Chrome DevTools, Memory, Load profile. It may hold secrets.';
  const panel = type === 'cpu' ? 'Performance' : 'Memory';
  return `Open it: Chrome DevTools, ${panel}, Load profile, or https://www.speedscope.app`;
}
