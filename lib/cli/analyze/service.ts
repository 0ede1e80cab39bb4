import { attributesOf, type Fields } from './otlp-values.js';

/** Beyond as many different ones they are forgotten, and kept anew. */
const CAPACITY = 10_000;

/** The part of the system that a span was recorded in: what is compared is one process's part of a trace. */
export class Service {
  name = '(unnamed)';
  /** The same for every batch of spans of one process. */
  key = '';

  /** Takes the resource, which may come after the spans that it belongs to. */
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

/** Makes one of what is equal: each batch of spans brings its resource. */
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
