import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
// Not the global, which a test of the application may have replaced.
import { setImmediate } from 'node:timers/promises';
import { context, propagation, type Span, type Tracer, type TracerProvider, trace } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';
import { addOwnPart, bundleFiles } from '../code/own-code.js';
import { SCOPE } from '../spans/tracing-runtime.js';

const MAX_FILES = 50;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_CLASSES = 200;
const MAX_DEPTH = 2;
const EXTENSIONS = ['.js', '.cjs', '.mjs'];

/** Marks the classes of a provider, its tracer and spans, and of instrumentations. Never rejects. */
export function markTracing(
  provider: TracerProvider,
  tracer: Tracer,
  instrumentations: readonly object[],
): Promise<void> {
  const spans = spansOfSdk(provider);
  return markBundledClasses([...spans, tracer, ...instrumentations, provider, trace, context, propagation]);
}

/** A span of the SDK, if a provider of it makes the spans: of a provider of its own, so that it is counted nowhere. */
function spansOfSdk(provider: TracerProvider): Span[] {
  if (!('register' in provider)) return [];
  const Provider = provider.constructor as new () => TracerProvider;
  return [new Provider().getTracer(SCOPE.name).startSpan('probe')];
}

/**
 * Marks the classes of some objects as brought by this library, in a bundle. Between the user's call and this library
 * stand the tracer and the instrumentation, which a bundle without a source map does not separate from the user's code. The
 * text of a class is the same in the file and in memory. Never rejects.
 * @param roots their classes, and those of the objects that they hold
 */
async function markBundledClasses(roots: readonly unknown[]): Promise<void> {
  await context.with(UNTRACED, async () => {
    try {
      const texts = classTextsOf(roots);
      for (const path of await filesBeside(bundleFiles())) await markIn(path, texts);
    } catch {
      // Call sites are less exact.
    }
  });
}

async function filesBeside(bundles: readonly string[]): Promise<string[]> {
  const paths = new Set(bundles);
  for (const folder of new Set(bundles.map(dirname)))
    for (const name of await readdir(folder))
      if (EXTENSIONS.includes(extname(name)) && paths.size < MAX_FILES) paths.add(join(folder, name));
  return [...paths];
}

async function markIn(path: string, texts: Set<string>): Promise<void> {
  if (texts.size === 0 || (await stat(path)).size > MAX_BYTES) return;
  const code = await readFile(path, 'utf8');
  const starts = lineStarts(code);
  for (const text of texts) {
    const at = code.indexOf(text);
    if (at >= 0) {
      texts.delete(text);
      addOwnPart(place(path, starts, at), place(path, starts, at + text.length));
    }
    // A search takes a few milliseconds.
    await setImmediate();
  }
}

function classTextsOf(roots: readonly unknown[]): Set<string> {
  const texts = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || seen.has(value) || texts.size >= MAX_CLASSES) return;
    seen.add(value);
    for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
      const { value: type } = Object.getOwnPropertyDescriptor(at, 'constructor') ?? {};
      const text = typeof type === 'function' ? Function.prototype.toString.call(type) : '';
      if (text !== '' && !text.endsWith('{ [native code] }')) texts.add(text);
    }
    if (depth === MAX_DEPTH) return;
    for (const { value: held } of Object.values(Object.getOwnPropertyDescriptors(value)))
      visit(held, depth + 1);
  };
  for (const root of roots) visit(root, 0);
  return texts;
}

function lineStarts(code: string): number[] {
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function place(
  url: string,
  starts: readonly number[],
  offset: number,
): { url: string; line: number; column: number } {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= offset) low = middle + 1;
    else high = middle;
  }
  return { url, line: low, column: offset - (starts[low - 1] as number) + 1 };
}
