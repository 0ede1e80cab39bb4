import { type Check, isCheck, isList, isObject, type Shape } from './checks.js';
import { formatValue, type OptionFault } from './options-error.js';
import { own } from './own.js';

/** An option: what it accepts, its default, and the environment variables that set it where it is not given. */
export interface Option extends Check {
  /** Absent: undefined. A function is called each time that options are resolved. */
  readonly default?: unknown;
  /** The default in words, where the value does not say it. */
  readonly defaultText?: string;
  readonly variables?: Variables;
}

/** Environment variables of one option. The first one that is set wins. */
export interface Variables {
  readonly names: readonly string[];
  /** @returns the value that the option would be given, or undefined where the text stands for none */
  readonly parse: (text: string) => unknown;
  /** What the text may be. Default: what the option accepts. */
  readonly allowed?: string;
}

/** A rule for each option of an interface: the one source of validation, defaults and the reference. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Shape[string] };

/** The variables of the process. An empty value counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function option(check: Check, rest: Omit<Option, keyof Check>): Option {
  return { ...check, ...rest };
}

export const textFrom = (...names: string[]): Variables => ({ names, parse: (value) => value });
export const numberFrom = (...names: string[]): Variables => ({ names, parse: Number });
export const booleanFrom = (...names: string[]): Variables => ({
  names,
  parse: (value) =>
    /^(true|1|on|yes)$/i.test(value) ? true : /^(false|0|off|no)$/i.test(value) ? false : value,
});
/** OTLP over gRPC is commonly given as host:port. */
export const addressFrom = (...names: string[]): Variables => ({
  names,
  parse: (value) => (/^[\w.-]+:\d+$/.test(value) ? `http://${value}` : value),
});

/** What the environment sets, in the shape of the options. Adds what is wrong with it to the faults. */
export function readEnvironment(
  table: Shape,
  env: Environment,
  faults: OptionFault[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, rule]) => {
      if (isCheck(rule)) return [[name, readVariables(rule, env, faults)]];
      return isList(rule) ? [] : [[name, readEnvironment(rule, env, faults)]];
    }),
  );
}

function readVariables(rule: Option, env: Environment, faults: OptionFault[]): unknown {
  const { names = [], parse, allowed } = rule.variables ?? {};
  for (const name of names) {
    const text = own(env, name)?.trim();
    if (text === undefined || text === '') continue;
    const value = parse?.(text);
    if (value === undefined || rule.accepts(value)) return value;
    // One variable may set several options.
    if (!faults.some(({ path }) => path === name))
      faults.push({ path: name, received: formatValue(text), allowed: allowed ?? rule.allowed });
    return undefined;
  }
  return undefined;
}

/**
 * The options with the environment beneath them and the defaults beneath both. A group with a required option that was not
 * given, as `alerts.notifiers.webhook`, stays undefined.
 */
export function resolveTable<Resolved>(table: Shape, given: object = {}, environment: object = {}): Resolved {
  return Object.fromEntries(
    Object.entries(table).map(([name, rule]) => {
      const value = own(given as Record<string, unknown>, name);
      const set = own(environment as Record<string, unknown>, name);
      return [name, resolveRule(rule, value, set)];
    }),
  ) as Resolved;
}

function resolveRule(rule: Shape[string], given: unknown, environment: unknown): unknown {
  if (isCheck(rule)) return given ?? environment ?? defaultOf(rule);
  if (isList(rule)) return given ?? [];
  const needsMore = Object.values(rule).some((each) => isCheck(each) && each.required);
  if (given === undefined && needsMore) return undefined;
  return resolveTable(rule, isObject(given) ? given : {}, isObject(environment) ? environment : {});
}

function defaultOf({ default: value }: Option): unknown {
  return typeof value === 'function' ? value() : value;
}
