import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame } from './frame';
import { lines } from './panels';
import { series } from './queries';

const SELECTED = '{job="$service", instance=~"$instance"}';
const INSTANCE = '{{instance}}';

/** Memory, CPU, event loop and garbage collection of the top ten instances. */
export function runtime(): DashboardBuilder {
  return frame(
    'performance-runtime',
    'Performance: runtime',
    'Memory, CPU, event loop and garbage collection of the processes of a service.',
  )
    .withRow(new RowBuilder('Memory'))
    .withPanel(
      lines({
        title: 'Heap in use',
        description: 'A saw-tooth pattern is normal. Minima that rise for hours indicate a leak: see below.',
        unit: 'bytes',
      }).withTarget(topTen(`v8js_memory_heap_used_bytes${SELECTED}`)),
    )
    .withPanel(
      lines(
        {
          title: 'Heap in use, share of its limit',
          description: 'Above 90 % garbage collection dominates. Raise --max-old-space-size or retain less.',
          unit: 'percentunit',
        },
        [0.8, 0.9],
      ).withTarget(topTen(`job_instance:v8js_memory_heap:ratio${SELECTED}`)),
    )
    .withPanel(
      lines({
        title: 'Resident memory',
        description:
          'Counts against the limit of the container. Much above the heap: buffers, native addons, many threads.',
        unit: 'bytes',
      }).withTarget(topTen(`process_memory_usage_bytes${SELECTED}`)),
    )
    .withPanel(
      lines(
        {
          title: 'Leaks',
          description: 'Suspected and confirmed leaks. Compare two heap snapshots.',
          unit: 'none',
        },
        [1, 2],
      ).withTarget(
        series(
          `sum by (performance_leak_state, performance_leak_memory) (performance_leaks${SELECTED})`,
          '{{performance_leak_state}} {{performance_leak_memory}}',
        ),
      ),
    )
    .withRow(new RowBuilder('CPU and event loop'))
    .withPanel(
      lines({
        title: 'CPU',
        description:
          'Cores in use. JavaScript runs on one: near 1 with a busy event loop the instance is saturated; above 1 other threads work.',
        unit: 'none',
      }).withTarget(
        topTen(`sum by (instance) (rate(process_cpu_time_seconds_total${SELECTED}[$__rate_interval]))`),
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Event loop utilization',
          description:
            'Above 80 % requests wait for each other: add instances, or find the CPU usage in the profiles.',
          unit: 'percentunit',
        },
        [0.8, 0.95],
      )
        .max(1)
        .withTarget(topTen(`nodejs_eventloop_utilization_ratio${SELECTED}`)),
    )
    .withPanel(
      lines(
        {
          title: 'Maximum event loop delay',
          description: '/performance/findings has the stack of the blocking code.',
          unit: 's',
        },
        [0.1, 0.25],
      ).withTarget(topTen(`nodejs_eventloop_delay_max_seconds${SELECTED}`)),
    )
    .withRow(new RowBuilder('Garbage collection'))
    .withPanel(
      lines(
        {
          title: 'Time in garbage collection',
          description: 'The share of time in which the process was paused. Above 5 %: too many allocations.',
          unit: 'percentunit',
        },
        [0.05, 0.2],
      ).withTarget(
        topTen(`sum by (instance) (rate(v8js_gc_duration_seconds_sum${SELECTED}[$__rate_interval]))`),
      ),
    )
    .withPanel(
      lines({
        title: 'Collections',
        description:
          'Per second, by type. Many minor collections: short-lived objects. Many major collections: a small heap.',
        unit: 'ops',
      }).withTarget(
        series(
          `sum by (v8js_gc_type) (rate(v8js_gc_duration_seconds_count${SELECTED}[$__rate_interval]))`,
          '{{v8js_gc_type}}',
        ),
      ),
    )
    .withRow(new RowBuilder('Monitoring overhead'))
    .withPanel(
      lines(
        {
          title: 'CPU of nestjs-performance',
          description: 'Share of one core. Above overhead.maxCpuPercent, parts of the package pause.',
          unit: 'percentunit',
        },
        [0.03, 0.1],
      ).withTarget(topTen(`performance_overhead_cpu_utilization_ratio${SELECTED}`)),
    )
    .withPanel(
      lines({
        title: 'CPU of nestjs-performance by part',
        description: 'Cores in use, all instances together.',
        unit: 'none',
      }).withTarget(
        series(
          `sum by (performance_overhead_part) (rate(performance_overhead_cpu_time_seconds_total${SELECTED}[$__rate_interval]))`,
          '{{performance_overhead_part}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'CPU of nestjs-performance for each request',
        description:
          'Of the top ten instances. Without timers and threads, which cost the same without requests.',
        unit: 's',
      }).withTarget(topTen(`performance_overhead_request_cpu_time_seconds${SELECTED}`)),
    )
    .withPanel(
      lines({
        title: 'Memory of nestjs-performance',
        description: 'Buffers and tables by part, the largest instance. The budget is overhead.maxMemoryMb.',
        unit: 'bytes',
      }).withTarget(
        series(
          `max by (performance_overhead_part) (performance_overhead_memory_usage_bytes${SELECTED})`,
          '{{performance_overhead_part}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Paused parts',
        description:
          'Instances on which a part pauses because of overhead.maxCpuPercent. Counting never does.',
        unit: 'none',
      }).withTarget(
        series(
          `sum by (performance_overhead_part) (performance_overhead_paused${SELECTED})`,
          '{{performance_overhead_part}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Dropped by limits',
        description:
          'Per second: operations above the limit of names, events, queries. If it is not 0, look for names that ' +
          'contain identifiers.',
        unit: 'ops',
      }).withTarget(
        series(
          `sum by (reason) (rate(performance_dropped_total${SELECTED}[$__rate_interval]))`,
          '{{reason}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Series',
        description: 'Of the top ten instances. The limit is metrics.maxSeries.',
        unit: 'none',
      }).withTarget(
        topTen(
          `count by (instance) ({__name__=~"(http_server|http_client|db_client|performance)_.+_count", job="$service", instance=~"$instance"})`,
        ),
      ),
    );
}

function topTen(expression: string): ReturnType<typeof series> {
  return series(`topk(10, ${expression})`, INSTANCE);
}
