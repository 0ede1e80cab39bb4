import { ConsoleLogger } from '@nestjs/common';
import { processWide } from '../async/process-wide.js';
import { reportFault } from '../async/thrown.js';
import { traceFields } from '../tracing/trace-fields.js';

/** The methods that compose a line. */
interface LineWriter {
  getJsonLogObject(...args: unknown[]): object;
  formatMessage(...args: unknown[]): string;
}

interface Correlation {
  users: number;
  restore: () => void;
}

/** By prototype, and shared by all copies of this package: a line is extended once. */
const correlations = processWide('log-correlations', () => new WeakMap<object, Correlation>());

/**
 * Adds the active trace to the lines of every `ConsoleLogger`, those of subclasses included.
 * @returns ends it, once all that asked for it have called theirs
 */
export function correlateLogs(): () => void {
  const prototype = ConsoleLogger.prototype as unknown as LineWriter;
  const correlation = correlations.get(prototype) ?? { users: 0, restore: extendLines(prototype) };
  correlations.set(prototype, correlation);
  correlation.users++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--correlation.users > 0) return;
    correlations.delete(prototype);
    correlation.restore();
  };
}

function extendLines(writer: LineWriter): () => void {
  const { getJsonLogObject, formatMessage } = writer;
  // Another tool may have replaced the methods, and still call these.
  let isOver = false;
  const withFields: LineWriter['getJsonLogObject'] = function (this: unknown, ...args) {
    const line = Reflect.apply(getJsonLogObject, this, args);
    return isOver ? line : withTrace(line, (fields) => ({ ...line, ...fields }));
  };
  const withText: LineWriter['formatMessage'] = function (this: unknown, ...args) {
    const line = Reflect.apply(formatMessage, this, args);
    return isOver ? line : withTrace(line, (fields) => lineWith(line, fields));
  };
  writer.getJsonLogObject = withFields;
  writer.formatMessage = withText;
  return () => {
    isOver = true;
    if (writer.getJsonLogObject === withFields) writer.getJsonLogObject = getJsonLogObject;
    if (writer.formatMessage === withText) writer.formatMessage = formatMessage;
  };
}

function lineWith(line: string, fields: object): string {
  const text = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
  return line.endsWith('\n') ? `${line.slice(0, -1)}${text.join('')}\n` : line + text.join('');
}

function withTrace<T>(line: T, add: (fields: object) => T): T {
  try {
    const fields = traceFields();
    return fields.trace_id === undefined ? line : add(fields);
  } catch (error) {
    reportFault('a log line has no trace ID', error);
    return line;
  }
}
