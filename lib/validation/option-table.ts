import { type Check, isCheck, isList, isObject, receivedBy, type Shape } from './checks.js';
import type { OptionFault } from './options-error.js';
import { own } from './own.js';

/** An option: the values that it accepts, its default, and the environment variables that set it. */
export interface Option extends Check {
  /** A function is called each time options are resolved. */
  readonly default?: unknown;
  /** The default in words, for the reference. */
  readonly defaultText?: string;
  readonly variables?: Variables;
}

/** The environment variables of one option. The first one that is set wins. */
export interface Variables {
  readonly names: readonly string[];
  /** @returns the value of the option, or undefined if the text represents none */
  readonly parse: (text: string) => unknown;
  /** The allowed texts in words. Default: the allowed values of the option. */
  readonly allowed?: string;
}

/** A rule for each option of an interface: the one source of validation, defaults and the reference. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Shape[string] };

/** Environment variables. An empty value counts as absent. */
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
/** An address. OTLP endpoints are often set as host:port. */
export const addressFrom = (...names: string[]): Variables => ({
  names,
  parse: (value) => (/^[\w.-]+:\d+$/.test(value) ? `http://${value}` : value),
});

/** The options that the environment sets. Adds the faults of its variables. */
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
      faults.push({ path: name, received: receivedBy(rule, text), allowed: allowed ?? rule.allowed });
    return undefined;
  }
  return undefined;
}

/**
 * The resolved options: as given, otherwise from the environment, otherwise the defaults. A group with a required option,
 * such as `alerts.notifiers.webhook`, stays undefined if it is not given.
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
