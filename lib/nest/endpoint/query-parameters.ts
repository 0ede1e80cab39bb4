import { BadRequestException } from '@nestjs/common';
import { MOMENT_ALLOWED, parseMoment, parseSince, SINCE_ALLOWED } from '../../report/covered-time.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { own } from '../../validation/own.js';
import type { EndpointRequest } from './endpoint-request.js';

/** The query of a request. A repeated parameter is an array. */
export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

const MAX_LISTED = 1000;

/** Parsed here, as applications can change or disable the parser of their framework. */
export function queryOf({ url, originalUrl = url }: EndpointRequest): QueryParameters {
  const start = originalUrl.indexOf('?');
  const parameters = new URLSearchParams(start < 0 ? '' : originalUrl.slice(start + 1));
  const names = new Set(parameters.keys());
  return Object.fromEntries(
    [...names].map((name) => {
      const [first = '', ...others] = parameters.getAll(name);
      return [name, others.length === 0 ? first : [first, ...others]];
    }),
  );
}

/** Undefined if absent. @throws BadRequestException for anything but a whole number from 1 to `max` */
export function wholeNumber(query: QueryParameters, name: string, max = MAX_LISTED): number | undefined {
  const value = own(query, name);
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= 1 && number <= max) return number;
  return refuse(name, value, `a whole number from 1 to ${max}`);
}

/** Undefined if absent. @throws BadRequestException for anything but one text */
export function operationType(query: QueryParameters, name: string): string | undefined {
  const value = own(query, name);
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  return refuse(name, value, 'an operation type such as http');
}

/** Undefined if absent. @throws BadRequestException for anything but one text of up to `max` characters */
export function textOf(query: QueryParameters, name: string, max = 500): string | undefined {
  const value = own(query, name);
  if (value === undefined || (typeof value === 'string' && value !== '' && value.length <= max)) return value;
  return refuse(name, value, `a text of up to ${max} characters`);
}

/** A start as {@link parseSince} reads it; undefined if absent. @throws BadRequestException for anything else */
export function sinceOf(query: QueryParameters, now: number): number | undefined {
  const text = own(query, 'since');
  if (text === undefined) return undefined;
  const parsed = typeof text === 'string' ? parseSince(text, now) : undefined;
  return parsed ?? refuse('since', text, SINCE_ALLOWED);
}

/** The end of a range as {@link parseMoment} reads it; undefined if absent. @throws BadRequestException if it precedes the start */
export function untilOf(
  query: QueryParameters,
  now: number,
  since = Number.NEGATIVE_INFINITY,
): number | undefined {
  const text = own(query, 'until');
  if (text === undefined) return undefined;
  const parsed = typeof text === 'string' ? parseMoment(text, now) : undefined;
  if (parsed !== undefined && parsed < since) return refuse('until', text, 'a time that is not before since');
  return parsed ?? refuse('until', text, MOMENT_ALLOWED);
}

/** Undefined if absent. @throws BadRequestException for anything but one of `allowed` */
export function oneOf<const T extends string>(
  query: QueryParameters,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = own(query, name);
  if (value === undefined || allowed.includes(value as T)) return value as T | undefined;
  return refuse(name, value, `one of ${allowed.join(', ')}`);
}

/** @throws BadRequestException with the parameter, its value and the expected value */
export function refuse(name: string, value: unknown, expected: string): never {
  throw new BadRequestException(invalid(`query parameter ${name}`, formatValue(value), expected));
}
