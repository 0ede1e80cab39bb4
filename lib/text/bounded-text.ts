import { types } from 'node:util';
import { errorWithoutValues } from './error-text.js';
import { isSecretName } from './secret-names.js';

/** Levels of objects, and entries of each, that are written. */
const MAX_LEVELS = 3;
const MAX_ENTRIES = 20;
const NOT_READABLE = '[unreadable]';

/**
 * Any value as text on one line, without the values of properties that are named as secrets, and those in messages of errors. Runs no code of the value
 * except that of a Proxy: getters and `toString` are not called. Never throws.
 * @param max characters; what is longer is cut, and a large object is read only as far as it is written
 */
export function boundedText(value: unknown, max: number): string {
  const writer = new Writer(max);
  try {
    if (typeof value === 'string') writer.add(value);
    else writer.write(value, 0);
  } catch {
    writer.add(NOT_READABLE);
  }
  return writer.text;
}

/** Copies a part of a text, which would otherwise keep the whole text in memory. */
export function copiedStart(text: string, max: number): string {
  return text.length <= max ? text : Buffer.from(text.slice(0, max)).toString();
}

class Writer {
  text = '';

  constructor(private readonly max: number) {}

  add(text: string): void {
    this.text += copiedStart(text, this.max - this.text.length);
  }

  write(value: unknown, level: number): void {
    if (typeof value === 'string') this.add(`'${copiedStart(value, this.max)}'`);
    else if (typeof value === 'function') this.add('[function]');
    else if (typeof value !== 'object' || value === null) this.add(String(value));
    else this.writeObject(value, level);
  }

  private writeObject(value: object, level: number): void {
    if (types.isNativeError(value)) this.add(errorText(value));
    else if (types.isDate(value)) this.add(dateText(value));
    else if (Array.isArray(value)) this.writeArray(value, level);
    else if (level >= MAX_LEVELS || isOpaque(value)) this.add('[object]');
    else this.writeProperties(value, level);
  }

  private writeArray(values: readonly unknown[], level: number): void {
    if (level >= MAX_LEVELS) {
      this.add('[array]');
      return;
    }
    this.add('[');
    const { length } = values;
    for (let index = 0; index < Math.min(length, MAX_ENTRIES) && this.hasRoom; index++) {
      this.add(index === 0 ? '' : ', ');
      this.writeProperty(values, String(index), level);
    }
    this.add(length > MAX_ENTRIES ? `, … ${length - MAX_ENTRIES} more]` : ']');
  }

  private writeProperties(value: object, level: number): void {
    let count = 0;
    this.add('{');
    for (const name of Object.keys(value)) {
      if (count === MAX_ENTRIES || !this.hasRoom) {
        this.add(', …');
        break;
      }
      this.add(`${count++ === 0 ? ' ' : ', '}${copiedStart(name, 100)}: `);
      if (isSecretName(name.slice(-100))) this.add('?');
      else this.writeProperty(value, name, level);
    }
    this.add(count === 0 ? '}' : ' }');
  }

  private writeProperty(owner: object, name: string, level: number): void {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property === undefined) this.add('undefined');
    else if (property.get !== undefined) this.add('[getter]');
    else this.write(property.value, level + 1);
  }

  private get hasRoom(): boolean {
    return this.text.length < this.max;
  }
}

/** Objects whose content is in no property. */
function isOpaque(value: object): boolean {
  return ArrayBuffer.isView(value) || types.isMap(value) || types.isSet(value) || types.isPromise(value);
}

/** Name and message, where they are no getters. The message may contain a row, as those of databases do. */
function errorText(error: Error): string {
  const own = (name: string): unknown => Object.getOwnPropertyDescriptor(error, name)?.value;
  const [name, message] = [own('name') ?? inheritedName(error), own('message')];
  return typeof message === 'string' && message !== ''
    ? `${name}: ${errorWithoutValues(message)}`
    : `${name}`;
}

function inheritedName(error: Error): string {
  const prototype = Object.getPrototypeOf(error) as object | null;
  const made: unknown =
    prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  const name: unknown =
    typeof made === 'function' ? Object.getOwnPropertyDescriptor(made, 'name')?.value : undefined;
  return typeof name === 'string' && name !== '' ? name : 'Error';
}

function dateText(date: Date): string {
  const time = Date.prototype.getTime.call(date);
  return Number.isNaN(time) ? 'Invalid Date' : new Date(time).toISOString();
}
