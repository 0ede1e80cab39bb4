import 'reflect-metadata';
import type { PerformanceAlert } from '../../alerting/alert.js';
import type { AlertFilter } from '../../alerting/alert-filter.js';
import { SEVERITIES } from '../../explain/finding.js';
import { type Check, checkShape, isObject, oneOf, type Shape, text } from '../../validation/checks.js';
import { formatValue, type OptionFault, PerformanceOptionsError } from '../../validation/options-error.js';

const ALERT_FILTERS = Symbol.for('nestjs-performance.alert-filters');
const USER = '@OnPerformanceAlert';

/** A method that is told of alerts. */
type AlertListener = (this: never, alert: PerformanceAlert) => unknown;

/** A method decorator of the kind that Nest uses, and of the kind that the language has since. */
export interface OnPerformanceAlertDecorator {
  <T extends AlertListener>(
    target: object,
    property: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): void;
  <T extends AlertListener>(method: T, context: ClassMethodDecoratorContext): void;
}

const FILTER: Shape = {
  rule: oneOrMore(text),
  subject: oneOrMore(text),
  severity: oneOrMore(oneOf(SEVERITIES)),
  state: oneOf(['firing', 'resolved']),
};

/**
 * Has a method of a provider or controller called with each alert that is told: not silenced, and within
 * `alerts.maxNotificationsPerHour`. Called are the instances that live as long as the application; nobody waits for
 * what it returns, and what it throws is logged.
 *
 * @param filter which alerts; default: all. With several decorators on a method each adds its own.
 * @throws PerformanceOptionsError or TypeError, when the class is defined, for a filter that is not allowed and on
 * anything but a method of instances
 */
export function OnPerformanceAlert(filter: AlertFilter = {}): OnPerformanceAlertDecorator {
  const faults: OptionFault[] = [];
  if (isObject(filter)) checkShape({ ...filter }, FILTER, `${USER}: filter.`, faults);
  else faults.push({ path: `${USER}: filter`, received: formatValue(filter), allowed: 'an object' });
  if (faults.length > 0) throw new PerformanceOptionsError(faults);

  const decorate = (
    target: object,
    propertyOrContext: string | symbol | ClassMethodDecoratorContext | undefined,
    descriptor?: PropertyDescriptor,
  ): void => {
    const context = typeof propertyOrContext === 'object' ? propertyOrContext : undefined;
    const isStatic = context?.static ?? typeof target === 'function';
    const method: unknown = context === undefined ? descriptor?.value : target;
    if (isStatic || typeof method !== 'function' || (context !== undefined && context.kind !== 'method')) {
      const where = context?.name ?? propertyOrContext ?? formatValue(target);
      throw new TypeError(
        `${USER} on ${String(where)}, which is not a method of instances: put it on a method of a provider`,
      );
    }
    Reflect.defineMetadata(ALERT_FILTERS, [...alertFiltersOf(method), filter], method);
  };
  return decorate as OnPerformanceAlertDecorator;
}

/** The filters that a method was decorated with; none where it was not. */
export function alertFiltersOf(method: object): readonly AlertFilter[] {
  return (Reflect.getMetadata(ALERT_FILTERS, method) as AlertFilter[] | undefined) ?? [];
}

function oneOrMore({ allowed, accepts }: Check): Check {
  return {
    allowed: `${allowed}, or an array of such`,
    accepts: (value) => (Array.isArray(value) ? value.length > 0 && value.every(accepts) : accepts(value)),
  };
}
