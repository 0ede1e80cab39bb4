import type { Profiler } from 'node:inspector';
import type { ProfileInfo } from '../../lib/profiling/profile-info.js';
import type { SimulatedProfiles } from './simulated-instance.js';

export const P1 = '20260101T000000-1-000001-0123ab';
export const P2 = '20260101T000000-1-000002-0123ab';
export const P3 = '20260101T000000-1-000003-0123ab';

const frame = (functionName: string, url = '', lineNumber = -1): Profiler.ProfileNode['callFrame'] => ({
  ...{ scriptId: '0', functionName, url, lineNumber },
  columnNumber: -1,
});

/** 30 ms, 20 of them in `sellAlbum`. */
export const PROFILE: Profiler.Profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), hitCount: 0, children: [2, 3] },
    { id: 2, callFrame: frame('(idle)'), hitCount: 1 },
    { id: 3, callFrame: frame('sellAlbum', '/app/shop.js', 9), hitCount: 2 },
  ],
  startTime: 1_700_000_000_000_000,
  endTime: 1_700_000_000_030_000,
  samples: [3, 3, 2],
  timeDeltas: [0, 10_000, 10_000],
};

/** The files of profiles by their ids. Undefined is one of 5 MB. */
export function profilesOf(texts: Readonly<Record<string, string | undefined>>): SimulatedProfiles {
  return {
    get(id, maxBytes) {
      if (!(id in texts)) return undefined;
      const text = texts[id];
      const bytes = text === undefined ? 5_000_000 : Buffer.byteLength(text);
      return { info: infoOf(id, bytes), ...(text === undefined || bytes > maxBytes ? {} : { text }) };
    },
  };
}

export function infoOf(id: string, bytes: number, type: ProfileInfo['type'] = 'cpu'): ProfileInfo {
  return {
    ...{ id, type, reason: 'slow_operation', startedAt: 1_700_000_000_000, durationMs: 30 },
    ...{ scope: 'operation', samples: 3, bytes, path: `/profiles/${id}.cpuprofile` },
    operation: { type: 'http', name: 'GET /albums', traceId: '1'.repeat(32), spanId: '2'.repeat(16) },
  };
}
