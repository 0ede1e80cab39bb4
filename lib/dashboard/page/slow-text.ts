import type { RankedCause } from '../../explain/cause.js';
import type { DetailedSlowOperation } from '../../explain/slow-operation.js';
import type { HotFunction } from '../../profiling/hot-functions.js';
import type { OperationLog } from '../../spans/operation-log.js';
import {
  block,
  code,
  DATA_NOTE,
  lineSection,
  listOf,
  planSection,
  REPEATED_TEST,
  stepsOf,
  textOf,
} from './agent-text.js';
import { duration, number, share } from './format.js';
import { visible } from './text.js';
import type { WaterfallData } from './waterfall-rows.js';

type Slow = Omit<DetailedSlowOperation, 'waterfall'> & { readonly waterfall?: WaterfallData };

/** One slow execution for a coding agent, as Markdown: why it was slow, where, the evidence, and how to verify a change. */
export function slowText(slow: Slow): string {
  const { type, durationMs, thresholdMs, timestamp, callSite, statement, plan, nPlusOne, log } = slow;
  const name = code(slow.name);
  const repeated = statement ?? nPlusOne?.statement;
  return textOf([
    `# Slow execution of ${name}`,
    `Measured by nestjs-performance at ${new Date(timestamp).toISOString()}. ${DATA_NOTE}`,
    `## What happens\n\n${visible(slow.explanation)}`,
    lineSection(callSite),
    repeated === undefined ? '' : `## Statement\n\n${block(repeated)}`,
    planSection(plan),
    `## Evidence\n\n${listOf([
      `${name} (${visible(type, 60)}) took ${duration(durationMs)}, threshold ${duration(thresholdMs)}${slow.error ? ', and failed' : ''}`,
      ...(slow.baseline === undefined
        ? []
        : [`Baseline p50 ${duration(slow.baseline.p50Ms)}, p95 ${duration(slow.baseline.p95Ms)}`]),
      ...(slow.root === undefined ? [] : [`Part of ${code(slow.root.name)}`]),
      ...(slow.http?.handler === undefined ? [] : [`Handler ${code(slow.http.handler)}`]),
      ...slow.causes.map(causeText),
      ...(slow.topFunctions ?? []).slice(0, MAX_FUNCTIONS).map(functionText),
    ])}`,
    spanSection(slow.waterfall),
    logSection(log),
    `## How to verify\n\n${stepsOf([
      `Execute ${name} a few times with the change, under the same load.`,
      `\`GET slow?name=${encodeURIComponent(slow.name.slice(0, 300))}&since=15m\` below the path of the endpoint (by default \`/performance\`): no execution with this cause may be listed again.`,
      `The p95 of ${name} in \`GET overview\` must stay below ${duration(thresholdMs)}.`,
      ...(nPlusOne === undefined ? [] : [REPEATED_TEST]),
    ])}`,
  ]);
}

/** Entries of each list of a slow execution. */
const MAX_FUNCTIONS = 5;
const MAX_GROUPS = 10;
const MAX_LINES = 20;

function causeText({ cause, share: part, ms, certainty, operation, count }: RankedCause): string {
  const of = operation === undefined ? '' : `, ${code(operation)}`;
  const times = count === undefined || count < 2 ? '' : ` × ${number(count)}`;
  return `Cause ${cause}: ${share(part)} (${duration(ms)}, ${certainty})${of}${times}`;
}

function functionText({ function: name, share: part, file, line }: HotFunction): string {
  return `Hot function ${code(name)}${file === undefined ? '' : ` at ${code(`${file}:${line ?? ''}`)}`}: ${share(part)} of the CPU samples`;
}

/** The spans by name, those with the most time first. */
function spanSection(waterfall: WaterfallData | undefined): string {
  const groups = new Map<string, { type: string; count: number; totalMs: number; maxMs: number }>();
  for (const { name, type, durationMs, parent } of waterfall?.spans ?? []) {
    if (parent < 0) continue;
    const group = groups.get(name) ?? { type, count: 0, totalMs: 0, maxMs: 0 };
    group.count++;
    group.totalMs += durationMs;
    group.maxMs = Math.max(group.maxMs, durationMs);
    groups.set(name, group);
  }
  const lines = [...groups]
    .sort(([, a], [, b]) => b.totalMs - a.totalMs)
    .slice(0, MAX_GROUPS)
    .map(
      ([name, { type, count, totalMs, maxMs }]) =>
        `${code(name)} (${visible(type, 60)}): ${number(count)} ×, ${duration(totalMs)} in total, the longest ${duration(maxMs)}`,
    );
  return lines.length === 0 ? '' : `## Spans within it\n\n${listOf(lines)}`;
}

function logSection(log: OperationLog | undefined): string {
  if (log === undefined) return '';
  const lines = log.lines.slice(-MAX_LINES).map(({ offsetMs, level, context, message }) => {
    const from = context === undefined ? '' : `[${visible(context, 100)}] `;
    return visible(`+${Math.round(offsetMs)} ms ${level} ${from}${message}`, 400).replaceAll('`', '′');
  });
  return `## Log\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``;
}
