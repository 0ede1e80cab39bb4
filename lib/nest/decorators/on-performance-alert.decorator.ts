import 'reflect-metadata';
import type { PerformanceAlert } from '../../alerting/alert.js';
import type { AlertFilter } from '../../alerting/alert-filter.js';
import { processWide } from '../../async/process-wide.js';
import { SEVERITIES } from '../../explain/finding.js';
import { type Check, checkShape, isObject, oneOf, type Shape, text } from '../../validation/checks.js';
import { formatValue, type OptionFault, PerformanceOptionsError } from '../../validation/options-error.js';

const ALERT_FILTERS = Symbol.for('nestjs-performance.alert-filters');
const USER = '@OnPerformanceAlert';

/** Whether a method of this process is decorated: nearly no application has one, and the search for them visits all methods. */
const use = processWide('alert-decorators', () => ({ isDecorated: false }));

/** A method that receives alerts. */
type AlertListener = (this: never, alert: PerformanceAlert) => unknown;

/** A method decorator, both for TypeScript's experimental decorators (as in Nest) and for standard decorators. */
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
 * Calls a method of a provider or controller with each alert notification, except silenced ones and those above
 * `alerts.maxNotificationsPerHour`. Only singletons receive alerts. The result is not awaited; errors are logged.
 *
 * @param filter selects alerts; default: all. Several decorators on one method combine their alerts.
 * @throws PerformanceOptionsError at class definition for an invalid filter
 * @throws TypeError at class definition on anything but an instance method
 */
export function OnPerformanceAlert(filter: AlertFilter = {}): OnPerformanceAlertDecorator {
  const faults: OptionFault[] = [];
  if (isObject(filter)) checkShape({ ...filter }, FILTER, `${USER} filter.`, faults);
  else faults.push({ path: `${USER} filter`, received: formatValue(filter), allowed: 'an object' });
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
        `Invalid use of ${USER}: ${String(where)} is not an instance method. Decorate a method of a provider or controller`,
      );
    }
    Reflect.defineMetadata(ALERT_FILTERS, [...alertFiltersOf(method), filter], method);
    use.isDecorated = true;
  };
  return decorate as OnPerformanceAlertDecorator;
}

/** Whether a method of this process may have filters. */
export function hasAlertListeners(): boolean {
  return use.isDecorated;
}

/** The filters of a method's decorators. */
export function alertFiltersOf(method: object): readonly AlertFilter[] {
  return (Reflect.getMetadata(ALERT_FILTERS, method) as AlertFilter[] | undefined) ?? [];
}

function oneOrMore({ allowed, accepts }: Check): Check {
  return {
    allowed: `${allowed}, or an array of these`,
    accepts: (value) => (Array.isArray(value) ? value.length > 0 && value.every(accepts) : accepts(value)),
  };
}
