import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame } from './frame';
import { lines } from './panels';
import { series } from './queries';

const SELECTED = '{job="$service", instance=~"$instance"}';
const INSTANCE = '{{instance}}';

/** The processes themselves: memory, CPU, event loop, garbage collection. The ten instances that have the most. */
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
        description:
          'A saw-tooth is well. If its lowest points climb for hours, something is held: see the leaks below.',
        unit: 'bytes',
      }).withTarget(topTen(`v8js_memory_heap_used_bytes${SELECTED}`)),
    )
    .withPanel(
      lines(
        {
          title: 'Heap in use, of its limit',
          description: 'Above 90 % collections take over. Raise --max-old-space-size or hold less.',
          unit: 'percentunit',
        },
        [0.8, 0.9],
      ).withTarget(topTen(`job_instance:v8js_memory_heap:ratio${SELECTED}`)),
    )
    .withPanel(
      lines({
        title: 'Resident memory',
        description:
          'What the container pays for. Much above the heap: buffers, native addons, many threads.',
        unit: 'bytes',
      }).withTarget(topTen(`process_memory_usage_bytes${SELECTED}`)),
    )
    .withPanel(
      lines(
        {
          title: 'Leaks',
          description: 'Suspected and confirmed ones. Take two heap snapshots and compare them.',
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
          'Cores in use. JavaScript runs on one: near 1 with a busy loop the instance is full; above it, other threads work.',
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
            'Above 80 % requests wait for each other: add instances, or see the profiles for what runs.',
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
          title: 'Event loop delay, longest',
          description: 'How late it was at the worst. /performance/findings has the stack of what held it.',
          unit: 's',
        },
        [0.1, 0.25],
      ).withTarget(topTen(`nodejs_eventloop_delay_max_seconds${SELECTED}`)),
    )
    .withRow(new RowBuilder('Garbage collection'))
    .withPanel(
      lines(
        {
          title: 'Time in collections',
          description:
            'The share of the time that all else stood still for it. Above 5 %: too much is allocated.',
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
          'A second, by type. Many minor ones: short-lived objects. Many major ones: a heap too small.',
        unit: 'ops',
      }).withTarget(
        series(
          `sum by (v8js_gc_type) (rate(v8js_gc_duration_seconds_count${SELECTED}[$__rate_interval]))`,
          '{{v8js_gc_type}}',
        ),
      ),
    )
    .withRow(new RowBuilder('The monitoring itself'))
    .withPanel(
      lines({
        title: 'Given up',
        description:
          'What a bound kept out, a second: operations beyond the limit of names, events, queries. If it is not 0, look ' +
          'for names that hold an identifier.',
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
        description: 'Of the ten instances that have the most; metrics.maxSeries is the bound.',
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
