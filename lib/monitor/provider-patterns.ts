import type { Check } from '../validation/checks.js';

/** More would be a list of the application's classes: patterns are for groups of them. */
const MAX_PATTERNS = 100;
const PATTERN = /^[\w$*]+(?:\.[\w$*]+)?$/;

export const providers: Check = {
  allowed: `true, false, or an array of up to ${MAX_PATTERNS} patterns of Class or Class.method, such as *Service or CatalogRepository.find*`,
  accepts: (value) =>
    typeof value === 'boolean' ||
    (Array.isArray(value) &&
      value.length <= MAX_PATTERNS &&
      value.every((item) => typeof item === 'string' && PATTERN.test(item))),
};

/** Which methods the patterns of `tracing.providers` select. `*` stands for any text within a name. */
export class ProviderPatterns {
  private readonly patterns: readonly { readonly ofClass: RegExp; readonly ofMethod: RegExp }[];

  constructor(patterns: readonly string[]) {
    this.patterns = patterns.map((pattern) => {
      const [className = '*', method = '*'] = pattern.split('.');
      return { ofClass: expressionOf(className), ofMethod: expressionOf(method) };
    });
  }

  select(className: string, method: string): boolean {
    return this.patterns.some(({ ofClass, ofMethod }) => ofClass.test(className) && ofMethod.test(method));
  }
}

function expressionOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('$', '\\$').replaceAll('*', '.*')}$`);
}
