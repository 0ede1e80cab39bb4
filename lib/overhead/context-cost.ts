import { AsyncResource } from 'node:async_hooks';

/**
 * What carrying the context of a request costs where Node.js does it by async hooks: before version 24. Each promise and each
 * other asynchronous resource of the process gets a number and the context, when it is created, runs, and is collected. This
 * happens in Node.js and cannot be measured within one call. Microseconds and bytes for each resource: what one
 * `AsyncLocalStorage` added to a request of Nest, 22 µs and 2.7 KB, divided by its 24 resources, 14 of which are promises
 * (Node 20, two cores, nearly idle; on a busy machine the difference is lost in noise, see bench/overhead.mjs).
 */
const US_A_RESOURCE = 0.95;
const BYTES_A_RESOURCE = 190;

/** Counts asynchronous resources, and estimates what it costs that they carry a context. */
export class ContextCost {
  ms = 0;
  bytes = 0;
  private last: number | undefined;

  /** @param newestId the number of the newest resource. It grows with promises only while hooks are active. */
  constructor(private readonly newestId: () => number = newestResource) {}

  /** Adds the resources since the last call, if contexts are carried by hooks. */
  read(isHooked: boolean = countsPromises()): void {
    const id = this.newestId();
    const created = this.last === undefined ? 0 : id - this.last;
    this.last = id;
    if (!isHooked || created <= 0) return;
    this.ms += (created * US_A_RESOURCE) / 1000;
    this.bytes += created * BYTES_A_RESOURCE;
  }
}

function newestResource(): number {
  return new AsyncResource('nestjs-performance.count').asyncId();
}

/** Whether promises get numbers: a hook of this package, or of the application, is active. */
function countsPromises(): boolean {
  const before = newestResource();
  void Promise.resolve().then(() => {});
  return newestResource() - before > 1;
}
