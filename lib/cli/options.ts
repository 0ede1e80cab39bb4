import { parseArgs } from 'node:util';
import { formatValue, invalid } from '../validation/options-error.js';
import { own } from '../validation/own.js';

/** An option of a command with its help. */
export interface OptionSpec {
  /** The placeholder of its value, such as `N`. Absent for a flag. */
  readonly value?: string;
  readonly short?: string;
  readonly help: string;
}
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The parsed arguments of a command. */
export interface CommandInput {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | true | undefined>>;
}

/** An invalid command line. The message names the option, the received and the expected value. */
export class UsageError extends Error {}

/** Parses the arguments of a command. @throws {UsageError} for the first invalid one */
export function parseOptions(args: readonly string[], specs: OptionSpecs): CommandInput {
  // Not strict, as those errors lack the expected value and, in some versions of Node.js, the received one.
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
        `Unknown option ${rawName}: expected one of ${Object.keys(specs)
          .map((known) => `--${known}`)
          .join(', ')}`,
      );
    if (spec.value === undefined && value !== undefined)
      throw new UsageError(invalid(rawName, formatValue(value), 'no value'));
    if (spec.value !== undefined && (value === undefined || value === ''))
      throw new UsageError(invalid(rawName, 'no value', `${rawName}=${spec.value}`));
    options.set(name, value ?? true);
  }
  return { operands, options: Object.fromEntries(options) };
}

/** The help of these options. */
export function describeOptions(specs: OptionSpecs): string {
  const lines = Object.entries(specs).map(([name, { value, short, help }]) => {
    const names = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return { names, help };
  });
  const width = Math.max(...lines.map(({ names }) => names.length));
  return lines.map(({ names, help }) => `  ${names.padEnd(width)}  ${help}`).join('\n');
}

/** Undefined if absent. @throws {UsageError} for anything but one of `allowed` */
export function oneOfOption<const T extends string>(
  options: CommandInput['options'],
  name: string,
  allowed: readonly T[],
): T | undefined {
  const given = own(options, name);
  if (given === undefined || allowed.includes(given as T)) return given as T | undefined;
  throw new UsageError(invalid(`--${name}`, formatValue(given), `one of ${allowed.join(', ')}`));
}
