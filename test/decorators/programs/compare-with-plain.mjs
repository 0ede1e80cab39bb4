// Compares a decorated method with the same method undecorated, for random results, settling and consumers. Prints the first
// difference as JSON, or how many cases were equal. Runs in plain Node, since Jest handles rejections itself.
import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import fc from 'fast-check';
import { BehaviorSubject, Observable, of, range, Subject, take, throwError } from 'rxjs';

const [folder, runs, seed] = process.argv.slice(2);
const { PerformanceMonitor, SlowSpanProcessor, withPerformanceTracking, TrackPerformance } = createRequire(
  import.meta.url,
)(`${folder}/index.js`);

const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
const provider = new NodeTracerProvider({ spanProcessors: [new SlowSpanProcessor(monitor)] });
provider.register();
globalThis[Symbol.for('nestjs-performance.runtime')]().monitors.push(monitor);

let log = [];
const note = (what) => log.push(what);
const shown = (value) => (value instanceof Error ? `${value.name} ${value.message}` : String(value));
const promises = new Map();
process.on('unhandledRejection', (reason, promise) =>
  note(`unhandled ${shown(reason)} of ${promises.get(promise) ?? 'another promise'}`),
);
process.on('rejectionHandled', (promise) => note(`handled later: ${promises.get(promise)}`));
process.on('uncaughtException', (error) => note(`uncaught ${shown(error)}`));

async function ticks(count) {
  for (let i = 0; i < count; i++) await null;
}

class Labelled extends Promise {
  constructor(executor) {
    super(executor);
    this.label = 'own';
  }
}
class Lazy extends Promise {
  static get [Symbol.species]() {
    return Promise;
  }
  // biome-ignore lint/suspicious/noThenProperty: as of clients that send a query when it is awaited
  then(...args) {
    note('lazy query sent');
    return super.then(...args);
  }
}

/** Settles after `delay`: microtasks, or turns of the event loop. */
function settling(Class, { outcome, delay, turns }) {
  return new Class((resolve, reject) => {
    if (outcome === 'never') return;
    const settle = () => {
      note('settles');
      if (outcome === 'resolve') resolve('value');
      else if (outcome === 'resolve with a promise') resolve(ticks(1).then(() => 'inner'));
      else if (outcome === 'resolve with a rejected promise')
        resolve(ticks(1).then(() => Promise.reject(new RangeError('inner'))));
      else reject(new RangeError('rejected'));
    };
    if (delay === 0 && turns === 0) settle();
    else if (turns > 0) void turn().then(settle);
    else void ticks(delay).then(settle);
  });
}

function thenable(steps) {
  return {
    // biome-ignore lint/suspicious/noThenProperty: an odd thenable is what is tested
    get then() {
      note('then is read');
      if (steps === 'throws') throw new RangeError('then throws');
      return (resolve, reject) => {
        note('then is called');
        if (steps === 'rejects') reject(new RangeError('thenable'));
        else resolve('thenable');
        if (steps === 'twice') resolve('again');
      };
    },
  };
}

function proxy(target, revoked) {
  const noting = new Proxy(
    {},
    {
      get:
        (_, trap) =>
        (...args) => {
          note(`trap ${trap} ${String(args[1])}`);
          return Reflect[trap](...args);
        },
    },
  );
  const { proxy: made, revoke } = Proxy.revocable(target, noting);
  if (revoked) revoke();
  return made;
}

/** What a method may return, by kind. */
const KINDS = {
  'an async function': null,
  'a promise': (s) => settling(Promise, s),
  'a promise of a subclass': (s) => settling(Labelled, s),
  'a lazy query': (s) => settling(Lazy, s),
  'a promise with properties': (s) => Object.assign(settling(Promise, s), { pid: 7, cancel() {} }),
  'a frozen promise': (s) => Object.freeze(settling(Promise, s)),
  'a promise handled by the method': (s) => {
    const promise = settling(Promise, s);
    promise.catch(() => note('handled by the method'));
    return promise;
  },
  'a thenable': () => thenable('resolves'),
  'a rejecting thenable': () => thenable('rejects'),
  'a thenable that resolves twice': () => thenable('twice'),
  'a thenable that throws': () => thenable('throws'),
  'a proxy': () => proxy({ a: 1 }, false),
  'a proxy of a promise': (s) => proxy(settling(Promise, { ...s, outcome: 'resolve' }), false),
  'a revoked proxy': () => proxy({}, true),
  'an object below a proxy': () => Object.create(proxy({}, false)),
  'an object with getters': () => ({
    get lift() {
      note('lift is read');
      return () => {};
    },
    get subscribe() {
      note('subscribe is read');
      return () => {};
    },
  }),
  'an object without a prototype': () => Object.create(null),
  'a function': () => () => 'called',
  'a class': () => class Returned {},
  'a primitive': (s) => [undefined, null, 0, '', Symbol.iterator, 5n, Number.NaN][s.delay],
  'a throwing call': () => {
    throw new RangeError('thrown');
  },
  'a call that throws a revoked proxy': () => {
    throw proxy({}, true);
  },
  'a completing Observable': () =>
    new Observable((s) => {
      note('subscribed');
      s.next(1);
      s.next(2);
      s.complete();
      return () => note('torn down');
    }),
  'a failing Observable': () => throwError(() => new RangeError('observed')),
  'a slow Observable': () =>
    new Observable((s) => {
      note('subscribed');
      void ticks(2).then(() => {
        note('emits');
        s.next(1);
        s.complete();
      });
      return () => note('torn down');
    }),
  'an endless Observable': () =>
    new Observable((s) => {
      for (let i = 0; i < 1000 && !s.closed; i++) {
        note(`produces ${i}`);
        s.next(i);
      }
    }),
  'a range': () => range(0, Number.MAX_SAFE_INTEGER),
  'a frozen Observable': () => Object.freeze(of(1)),
  'a BehaviorSubject': () => new BehaviorSubject('first'),
  'a Subject': () => new Subject(),
  'a generator': () =>
    (function* () {
      try {
        note('starts');
        note(`received ${yield 1}`);
        yield* [2, 3];
        return 'end';
      } finally {
        note('finally');
      }
    })(),
  'an async generator': () =>
    (async function* () {
      try {
        note('starts');
        note(`received ${yield 1}`);
        await null;
        yield Promise.resolve(2);
        throw new RangeError('generated');
      } finally {
        note('finally');
      }
    })(),
  'an async iterable': () => ({
    async *[Symbol.asyncIterator]() {
      yield 1;
    },
  }),
};

function method(kind, setting) {
  if (kind === 'an async function') {
    return async function tracked() {
      if (setting.turns > 0) await turn();
      else if (setting.delay > 0) await ticks(setting.delay);
      if (setting.outcome === 'never') return new Promise(() => {});
      note('settles');
      if (setting.outcome === 'resolve') return 'value';
      if (setting.outcome === 'resolve with a promise') return ticks(1).then(() => 'inner');
      throw new RangeError('rejected');
    };
  }
  return function tracked() {
    const made = KINDS[kind](setting);
    current = made;
    if ((typeof made === 'object' && made !== null) || typeof made === 'function')
      promises.set(made, 'the result');
    return made;
  };
}
let current;

/** What a caller does with the result. */
const CONSUMERS = {
  nothing: () => {},
  awaits: async (result) => note(`awaited ${shown(await result)}`),
  'awaits and catches': async (result) => {
    try {
      note(`awaited ${shown(await result)}`);
    } catch (error) {
      note(`caught ${shown(error)}`);
    }
  },
  'awaits later': async (result) => {
    await ticks(6);
    note(`awaited ${shown(await result)}`);
  },
  'awaits in a later turn': async (result) => {
    await turn();
    await turn();
    try {
      note(`awaited ${shown(await result)}`);
    } catch (error) {
      note(`caught ${shown(error)}`);
    }
  },
  returns: async (result) => {
    const outer = (async () => result)();
    outer.then(
      (value) => note(`outer ${shown(value)}`),
      (error) => note(`outer failed ${shown(error)}`),
    );
  },
  'resolves all': async (result) => {
    const settled = await Promise.allSettled([result, 1]);
    note(settled.map(({ status }) => status).join());
  },
  'wraps only': (result) => void Promise.resolve(result),
  'iterates over it': async (result) => {
    for await (const value of [result]) note(`iterated ${shown(value)}`);
  },
  'calls then twice': (result) => {
    result?.then?.(
      (value) => note(`first ${shown(value)}`),
      (error) => note(`first failed ${shown(error)}`),
    );
    result?.then?.((value) => note(`second ${shown(value)}`));
  },
  'calls finally': (result) => void result?.finally?.(() => note('finally of the caller')),
  'looks for then': (result) => note(`then is a ${typeof result?.then}`),
  subscribes: (result) => {
    if (typeof result?.subscribe !== 'function' || result.pipe === undefined) return;
    const subscriber = (name) => ({
      next: (v) => note(`${name} ${v}`),
      error: (e) => note(`${name} failed ${shown(e)}`),
      complete: () => note(`${name} complete`),
    });
    result.pipe(take(3)).subscribe(subscriber('a'));
    result.pipe(take(1)).subscribe(subscriber('b'));
    if (result.next === undefined) return;
    note(shown(result.value));
    result.next('second');
    result.complete();
  },
  'subscribes without an error handler': (result) => {
    if (typeof result?.pipe === 'function') result.pipe(take(2)).subscribe((value) => note(`value ${value}`));
  },
  'unsubscribes at once': (result) => {
    if (typeof result?.pipe === 'function')
      result
        .pipe(take(5))
        .subscribe(() => note('value'))
        .unsubscribe();
  },
  iterates: async (result) => {
    if (typeof result?.next !== 'function' || result.pipe !== undefined) return;
    for await (const value of result) note(`iterated ${value}`);
  },
  'leaves the iteration': async (result) => {
    if (typeof result?.next !== 'function' || result.pipe !== undefined) return;
    for await (const value of result) {
      note(`iterated ${value}`);
      break;
    }
    note(JSON.stringify(await result.next()));
  },
  'steps by hand': async (result) => {
    if (typeof result?.next !== 'function' || result.pipe !== undefined) return;
    note(JSON.stringify(await result.next('a')));
    note(JSON.stringify(await result.next('b')));
    try {
      note(JSON.stringify(await result.throw(new TypeError('injected'))));
    } catch (error) {
      note(shown(error));
    }
    note(JSON.stringify(await result.return?.('c')));
  },
  'takes steps at once': (result) => {
    if (typeof result?.next !== 'function' || result.pipe !== undefined) return;
    const steps = [result.next('a'), result.next('b'), result.return('c')];
    for (const step of steps)
      Promise.resolve(step).then(
        (s) => note(JSON.stringify(s)),
        (error) => note(shown(error)),
      );
  },
};

/** All that can be observed of one call. */
async function observed(call, consumer) {
  log = [];
  promises.clear();
  current = undefined;
  let result;
  const ticking = (async () => {
    for (let i = 0; i < 12; i++) {
      await null;
      note(`tick ${i}`);
    }
  })();
  try {
    result = call();
    note('returned');
    if (current !== undefined) note(Object.is(result, current) ? 'the same' : 'another');
    else if (result instanceof Promise) promises.set(result, 'the result');
    if (result instanceof Promise)
      note(`${Object.getOwnPropertyNames(result).join()} ${Object.getPrototypeOf(result).constructor.name}`);
  } catch (error) {
    note('threw or cannot be inspected');
    void error;
  }
  try {
    const done = CONSUMERS[consumer](result);
    done?.catch?.((error) => note(`consumer failed ${shown(error)}`));
  } catch (error) {
    note(`consumer threw ${shown(error)}`);
  }
  await ticking;
  for (let i = 0; i < 5; i++) await turn();
  await new Promise((resolve) => setTimeout(resolve, 2));
  return log;
}

const settings = fc.record({
  outcome: fc.constantFrom(
    'resolve',
    'reject',
    'reject',
    'never',
    'resolve with a promise',
    'resolve with a rejected promise',
  ),
  delay: fc.integer({ min: 0, max: 6 }),
  turns: fc.integer({ min: 0, max: 1 }),
});
const cases = fc.record({
  kind: fc.constantFrom(...Object.keys(KINDS)),
  setting: settings,
  consumer: fc.constantFrom(...Object.keys(CONSUMERS)),
  how: fc.constantFrom('decorator', 'function', 'nested'),
});

/** The same call, measured. */
function measured(how, plain) {
  if (how === 'function') return () => withPerformanceTracking('calculation', plain);
  class Service {}
  Object.defineProperty(Service.prototype, 'tracked', { value: plain, configurable: true, writable: true });
  for (let i = how === 'nested' ? 2 : 1; i > 0; i--) {
    const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, 'tracked');
    TrackPerformance('calculation')(Service.prototype, 'tracked', descriptor);
    Object.defineProperty(Service.prototype, 'tracked', descriptor);
  }
  return () => new Service().tracked();
}

let equal = 0;
const property = fc.asyncProperty(cases, async ({ kind, setting, consumer, how }) => {
  const expected = await observed(method(kind, setting), consumer);
  const actual = await observed(measured(how, method(kind, setting)), consumer);
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(JSON.stringify({ expected, actual }));
  equal++;
});
const result = await fc.check(property, { numRuns: Number(runs), seed: Number(seed) });
const { calculation } = monitor.getStats().byType;
const output = result.failed
  ? { failed: result.counterexample, seed: result.seed, why: String(result.errorInstance?.message) }
  : { equal, counted: calculation.count, failures: calculation.errorCount };
process.stdout.write(`${JSON.stringify(output)}\n`, () => process.exit(0));
