import { ConsoleLogger, Logger } from '@nestjs/common';
import { processWide } from '../async/process-wide.js';
import { attempt } from '../async/thrown.js';
import { MAX_RAW_LINE } from '../spans/log-text.js';
import { boundedText } from '../text/bounded-text.js';
import { errorWithoutValues } from '../text/error-text.js';
import { keepLine } from '../tracing/keep-log-line.js';

const LEVELS = ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'] as const;
type Level = (typeof LEVELS)[number];
type Method = (...args: unknown[]) => unknown;

interface Keeping {
  users: number;
  restore: () => void;
}

/** By prototype, and shared by all copies of this package: a line is kept once. */
const keepings = processWide('log-lines', () => new WeakMap<object, Keeping>());

/**
 * Keeps what Nest's `Logger` and `ConsoleLogger` log, and what they pass to the application's own logger, with the request
 * that it is written in.
 * @returns ends it, once all that asked for it have called theirs
 */
export function keepLogLines(): () => void {
  const prototype = ConsoleLogger.prototype;
  const keeping = keepings.get(prototype) ?? { users: 0, restore: wrapLoggers() };
  keepings.set(prototype, keeping);
  keeping.users++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--keeping.users > 0) return;
    keepings.delete(prototype);
    keeping.restore();
  };
}

/**
 * A `Logger` passes its lines to a `ConsoleLogger`, which knows what is written by level, or to a logger of the application,
 * which may be one that extends `ConsoleLogger` and does not call it.
 */
function wrapLoggers(): () => void {
  let hasReachedConsole = false;
  const restores = [
    ...LEVELS.map((level) =>
      wrap(ConsoleLogger.prototype, level, (call, logger, args) => {
        hasReachedConsole = true;
        keep(level, args, contextOf(logger), () => (logger as ConsoleLogger).isLevelEnabled(level));
        return call();
      }),
    ),
    ...[Logger, Logger.prototype].flatMap((target) =>
      LEVELS.map((level) =>
        wrap(target, level, (call, logger, args) => {
          hasReachedConsole = false;
          try {
            return call();
          } finally {
            // The context of an instance is the last argument of what it passes on.
            const context = target === Logger ? undefined : contextOf(logger);
            const given = context === undefined ? args : [...args, context];
            if (!hasReachedConsole) keep(level, given, undefined, () => Logger.isLevelEnabled(level));
          }
        }),
      ),
    ),
  ];
  return () => {
    for (const restore of restores) restore();
  };
}

/** Replaces a method. @returns restores it, unless another tool has replaced it meanwhile */
function wrap(
  target: object,
  level: Level,
  around: (call: () => unknown, self: unknown, args: unknown[]) => unknown,
): () => void {
  const property = Object.getOwnPropertyDescriptor(target, level);
  const original = property?.value as Method | undefined;
  if (property === undefined || typeof original !== 'function') return () => {};
  // A tool that has replaced the method may still call this one.
  let isOver = false;
  const wrapped = function (this: unknown, ...args: unknown[]): unknown {
    const call = (): unknown => Reflect.apply(original, this, args);
    return isOver ? call() : around(call, this, args);
  };
  Object.defineProperty(target, level, { ...property, value: wrapped });
  return () => {
    isOver = true;
    if (Object.getOwnPropertyDescriptor(target, level)?.value === wrapped)
      Object.defineProperty(target, level, property);
  };
}

function keep(level: Level, args: unknown[], own: string | undefined, isEnabled: () => boolean): void {
  if (attempt('a log line is not kept', isEnabled) !== true) return;
  const { messages, context = own } = readArguments(args);
  keepLine(level, context, () => textOf(messages));
}

function contextOf(logger: unknown): string | undefined {
  return attempt('a logger has no context', () => {
    const { context } = logger as { context?: unknown };
    return typeof context === 'string' && context !== '' ? context : undefined;
  });
}

/** The stack of an error, as Nest recognizes it among the arguments. */
const STACK = /^.+\n\s+at .+:\d+:\d+/;

/** As Nest reads them: the last text after the message is the context, and a stack belongs to an error. */
function readArguments([message, ...rest]: unknown[]): { messages: unknown[]; context?: string } {
  const others = rest.filter((one) => one !== undefined && !isStack(one));
  const isOfError =
    typeof message === 'string' && rest.some((one) => isStack(one) && isMessageOf(message, one));
  const first = isOfError ? errorWithoutValues(message) : message;
  const last = others.at(-1);
  return typeof last === 'string'
    ? { messages: [first, ...others.slice(0, -1)], context: last }
    : { messages: [first, ...others] };
}

/** Whether a message is that of the error with this stack, and so may contain values. */
function isMessageOf(message: string, stack: string): boolean {
  return message !== '' && stack.slice(0, 2000).includes(message.slice(0, 500));
}

function isStack(value: unknown): value is string {
  return typeof value === 'string' && STACK.test(value.slice(0, 2000));
}

function textOf(messages: readonly unknown[]): string {
  let text = '';
  for (const message of messages) {
    if (text.length >= MAX_RAW_LINE) break;
    text += `${text === '' ? '' : ' '}${boundedText(message, MAX_RAW_LINE - text.length)}`;
  }
  return text;
}
