import { attributesOf, type Fields } from './otlp-values.js';

/** The cache is cleared above this size. */
const CAPACITY = 10_000;

/** The service instance that recorded a span. The spans of one instance in a trace are analyzed together. */
export class Service {
  name = '(unnamed)';
  /** Equal for all batches of one instance. */
  key = '';

  /** Sets the resource, which may follow its spans in the file. */
  describe(resource: Fields): this {
    const attributes = attributesOf(resource['attributes']);
    const [namespace, name, instance] = (
      ['service.namespace', 'service.name', 'service.instance.id'] as const
    ).map((key) => String(attributes[key] ?? ''));
    if (name !== undefined && name !== '') this.name = name;
    this.key = JSON.stringify([namespace, name, instance]);
    return this;
  }
}

/** Deduplicates services, as each batch of spans has its own resource. */
export class Services {
  private readonly known = new Map<string, Service>();

  get(resource: Fields): Service {
    const service = new Service().describe(resource);
    const known = this.known.get(service.key);
    if (known !== undefined) return known;
    if (this.known.size >= CAPACITY) this.known.clear();
    this.known.set(service.key, service);
    return service;
  }
}
