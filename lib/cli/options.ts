import { parseArgs } from 'node:util';
import { formatValue } from '../validation/options-error.js';
import { own } from '../validation/own.js';

/** An option of a command, and its line of the help. */
export interface OptionSpec {
  /** What its value is called, where it takes one: `N`. */
  readonly value?: string;
  readonly short?: string;
  readonly help: string;
}
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What was given on the command line. */
export interface CommandInput {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | true | undefined>>;
}

/** A command line that is not right. The message names the option, the value and what is allowed. */
export class UsageError extends Error {}

/** Takes the arguments of a command apart. @throws {UsageError} at the first that is not right. */
export function parseOptions(args: readonly string[], specs: OptionSpecs): CommandInput {
  // Not strict: its errors name neither what is allowed nor, on all versions of Node, the value.
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(specs).map(([name, { value, short }]) => [
        name,
        {
          type: value === undefined ? 'boolean' : 'string',
          ...(short === undefined ? {} : { short }),
        } as const,
      ]),
    ),
  });
  const operands: string[] = [];
  const options = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const spec = own(specs, name);
    if (spec === undefined)
      throw new UsageError(
        `${rawName} is not an option: give one of ${Object.keys(specs)
          .map((known) => `--${known}`)
          .join(', ')}`,
      );
    if (spec.value === undefined && value !== undefined)
      throw new UsageError(
        `${rawName} is given ${formatValue(value)}, which is not allowed: give it without a value`,
      );
    if (spec.value !== undefined && (value === undefined || value === ''))
      throw new UsageError(`${rawName} is given no value: give ${rawName}=${spec.value}`);
    options.set(name, value ?? true);
  }
  return { operands, options: Object.fromEntries(options) };
}

/** The lines of the help on these options. */
export function describeOptions(specs: OptionSpecs): string {
  const lines = Object.entries(specs).map(([name, { value, short, help }]) => {
    const names = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return { names, help };
  });
  const width = Math.max(...lines.map(({ names }) => names.length));
  return lines.map(({ names, help }) => `  ${names.padEnd(width)}  ${help}`).join('\n');
}

/** Nothing where it is not given. @throws {UsageError} for anything but one of `allowed` */
export function oneOfOption<const T extends string>(
  options: CommandInput['options'],
  name: string,
  allowed: readonly T[],
): T | undefined {
  const given = own(options, name);
  if (given === undefined || allowed.includes(given as T)) return given as T | undefined;
  throw new UsageError(
    `--${name} is ${formatValue(given)}, which is not allowed: give one of ${allowed.join(', ')}`,
  );
}
