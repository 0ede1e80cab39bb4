import type { Attributes, Span } from '@opentelemetry/api';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { CapturedFile } from '../profiling/profiling.js';
import { completeLater } from '../spans/completed-later.js';
import { GuardedSpan } from '../spans/guarded-span.js';
import type { Update } from './describe-slow.js';

/**
 * Sets the attributes of a slow operation on its span, numbers as numbers. The span must not have ended: attributes that are
 * set in `onEnd` are lost.
 * @param captured the files of its profiles, which are being written
 */
export function annotate(
  span: Span | GuardedSpan,
  slow: SlowOperation,
  captured: readonly CapturedFile[] = [],
): void {
  span.setAttribute('performance.slow', true);
  span.setAttribute('performance.operation.type', slow.type);
  span.setAttribute('performance.threshold', slow.thresholdMs);
  span.setAttribute('performance.duration', slow.durationMs);
  span.setAttribute('performance.slowness_ratio', slow.slownessRatio);
  if (slow.selfTimeMs !== undefined) span.setAttribute('performance.self_time_ms', slow.selfTimeMs);
  span.setAttribute('performance.cause', slow.cause);
  span.setAttribute('performance.cause.share', slow.causeShare);
  span.setAttribute('performance.explanation', slow.explanation);
  if (slow.baseline !== undefined) {
    span.setAttribute('performance.baseline.p50_ms', slow.baseline.p50Ms);
    span.setAttribute('performance.baseline.p95_ms', slow.baseline.p95Ms);
    span.setAttribute('performance.baseline.ratio', slow.baseline.ratio);
  }
  const { callSite, nPlusOne, resources } = slow;
  for (const { type, id, path, sent } of captured) {
    span.setAttribute(type === 'cpu' ? 'performance.profile' : 'performance.heap_snapshot', id);
    // Grafana links a span to its profile by this attribute.
    if (sent) span.setAttribute('pyroscope.profile.id', span.spanContext().spanId);
    span.addEvent('performance.profile_captured', {
      'profile.type': type,
      'profile.path': path,
      'profile.reason': 'slow_operation',
    });
  }
  if (callSite !== undefined) {
    span.setAttribute('performance.call_site', `${callSite.function} (${callSite.file}:${callSite.line})`);
  }
  if (nPlusOne !== undefined) {
    span.setAttribute('performance.n_plus_one.statement', nPlusOne.statement);
    span.setAttribute('performance.n_plus_one.count', nPlusOne.count);
    span.setAttribute('performance.n_plus_one.total_ms', nPlusOne.totalMs);
  }
  if (resources === undefined) return;
  span.setAttribute('performance.memory.heap_used_mb', resources.heapUsedMb);
  span.setAttribute('performance.memory.heap_total_mb', resources.heapTotalMb);
  span.setAttribute('performance.memory.rss_mb', resources.rssMb);
  span.setAttribute('performance.cpu.user_ms', resources.cpuUserMs);
  span.setAttribute('performance.cpu.system_ms', resources.cpuSystemMs);
  span.setAttribute('performance.event_loop.utilization', resources.eventLoopUtilization);
  span.setAttribute('performance.event_loop.delay_max_ms', resources.eventLoopDelayMaxMs);
  span.setAttribute('performance.gc.pause_ms', resources.gcPauseMs);
  const { threadCpuMs, cpuRunDelayMs, cpuThrottledMs } = resources;
  if (threadCpuMs !== undefined) span.setAttribute('performance.cpu.thread_ms', threadCpuMs);
  if (cpuRunDelayMs !== undefined) span.setAttribute('performance.cpu.run_delay_ms', cpuRunDelayMs);
  if (cpuThrottledMs !== undefined) span.setAttribute('performance.cpu.throttled_ms', cpuThrottledMs);
}

/** Completes the attributes of a span which has ended when more is known of it, and before it is exported where that is possible. */
export function annotateLater(span: Span | GuardedSpan, update: Update): void {
  if (span instanceof GuardedSpan) return;
  completeLater(
    span,
    update.then((better) => {
      const { attributes } = span as { attributes?: Attributes };
      if (better === undefined || typeof attributes !== 'object') return;
      const { cause, causeShare, explanation, resources } = better;
      Object.assign(attributes, {
        ...(cause === undefined ? {} : { 'performance.cause': cause }),
        ...(causeShare === undefined ? {} : { 'performance.cause.share': causeShare }),
        ...(explanation === undefined ? {} : { 'performance.explanation': explanation }),
        ...(resources === undefined ? {} : { 'performance.gc.pause_ms': resources.gcPauseMs }),
      });
    }),
  );
}
