import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Module, SetMetadata } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { Test } from '@nestjs/testing';
import { handlersOf } from '../../lib/nest/handlers/handler-metadata.js';
import { type Handler, MethodWrappers } from '../../lib/nest/handlers/method-wrappers.js';
import { PerformanceModule } from '../../lib/nest/performance.module.js';

/** A handler that keeps its calls. */
function keeping(): Handler & { calls: unknown[][] } {
  const calls: unknown[][] = [];
  return {
    calls,
    call(method, self, args) {
      calls.push(args);
      return Reflect.apply(method, self, args);
    },
  };
}

let wrappers = new MethodWrappers();
afterEach(() => {
  wrappers.restore();
  wrappers = new MethodWrappers();
});

describe('a wrapped method', () => {
  const TAG = Symbol('tag');
  function makeClass() {
    class Work {
      static shared = 1;
      declare kind: string;
      run(one: number, _two: number): number {
        if (one < 0) throw new RangeError('negative');
        return one + Work.shared;
      }
      get lazy(): never {
        throw new Error('a getter ran');
      }
    }
    Reflect.defineMetadata('guard', 'closed', Work.prototype.run);
    Object.assign(Work.prototype.run, { [TAG]: 'tagged', plain: 'property' });
    return Work;
  }

  it('keeps name, length, properties, symbols, metadata and the flags of its property', () => {
    const Work = makeClass();
    const before = Object.getOwnPropertyDescriptor(Work.prototype, 'run') as PropertyDescriptor;
    wrappers.add(Work.prototype, 'run', keeping);
    const { run } = Work.prototype;
    expect(run).not.toBe(before.value);
    expect([run.name, run.length]).toEqual(['run', 2]);
    expect((run as never)[TAG]).toBe('tagged');
    expect((run as never)['plain']).toBe('property');
    expect(Reflect.getOwnMetadata('guard', run)).toBe('closed');
    expect(Object.getOwnPropertyDescriptor(Work.prototype, 'run')).toEqual({ ...before, value: run });
    expect(() => Reflect.construct(run, [])).toThrow(TypeError);
  });

  it('gives `this` and arguments to the original, and returns and throws what it does', () => {
    const Work = makeClass();
    const handler = keeping();
    wrappers.add(Work.prototype, 'run', () => handler);
    expect(new Work().run(1, 2)).toBe(2);
    expect(() => new Work().run(-1, 2)).toThrow(RangeError);
    expect(handler.calls).toEqual([
      [1, 2],
      [-1, 2],
    ]);
  });

  it('measures only instances of the class that handles something, not others of the same base', () => {
    class Base {
      run(): string {
        return this.constructor.name;
      }
    }
    class Handling extends Base {}
    class Other extends Base {}
    const handler = keeping();
    wrappers.add(Handling.prototype, 'run', () => handler);
    expect([new Handling().run(), new Other().run(), new Base().run()]).toEqual([
      'Handling',
      'Other',
      'Base',
    ]);
    expect(handler.calls.length).toBe(1);
  });

  it('is called on anything without a look at it: undefined, null-prototype objects and proxies', () => {
    const Work = makeClass();
    const handler = keeping();
    wrappers.add(Work.prototype, 'run', () => handler);
    const hostile = new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('a trap ran');
        },
      },
    );
    for (const self of [undefined, null, 1, Object.create(null), hostile])
      expect(Reflect.apply(Work.prototype.run, self, [1, 2])).toBe(2);
    expect(handler.calls).toEqual([]);
  });

  it('is the original again after the last of its users', () => {
    const Work = makeClass();
    const original = Work.prototype.run;
    const others = new MethodWrappers();
    const handler = keeping();
    wrappers.add(Work.prototype, 'run', () => handler);
    others.add(Work.prototype, 'run', () => handler);
    const kept = Work.prototype.run;
    wrappers.restore();
    expect(Work.prototype.run).toBe(kept);
    new Work().run(1, 2);
    expect(handler.calls.length).toBe(1);
    others.restore();
    expect(Work.prototype.run).toBe(original);
    expect(Reflect.apply(kept, new Work(), [1, 2])).toBe(2);
    expect(handler.calls.length).toBe(1);
  });

  it('is measured by the latest of its users, and by that of each class whichever was called before', () => {
    const Work = makeClass();
    class Other extends Work {}
    const [first, later, other] = [keeping(), keeping(), keeping()];
    const latest = new MethodWrappers();
    wrappers.add(Work.prototype, 'run', () => first);
    new Work().run(1, 0);
    latest.add(Work.prototype, 'run', () => later);
    latest.add(Other.prototype, 'run', () => other);
    for (const one of [2, 3]) {
      new Work().run(one, 0);
      new Other().run(one * 10, 0);
    }
    latest.restore();
    expect([first, later, other].map(({ calls }) => calls.map(([one]) => one))).toEqual([
      [1],
      [2, 3],
      [20, 30],
    ]);
  });

  it('is left as it is where another tool has replaced it meanwhile', () => {
    const Work = makeClass();
    wrappers.add(Work.prototype, 'run', keeping);
    const spy = jest.spyOn(Work.prototype, 'run');
    wrappers.restore();
    expect(Work.prototype.run).toBe(spy as never);
    expect(new Work().run(1, 2)).toBe(2);
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it('is no frozen one, no getter, and nothing that is no method', () => {
    const Work = makeClass();
    Object.defineProperty(Work.prototype, 'value', { value: 1 });
    wrappers.add(Work.prototype, 'lazy', keeping);
    wrappers.add(Work.prototype, 'value', keeping);
    wrappers.add(Work.prototype, 'missing', keeping);
    const Frozen = makeClass();
    const { run } = Object.freeze(Frozen.prototype);
    expect(() => wrappers.add(Frozen.prototype, 'run', keeping)).not.toThrow();
    expect(Frozen.prototype.run).toBe(run);
  });
});

describe('the handlers of a class', () => {
  const kinds = (type: { prototype: object }, isController = false) =>
    Object.fromEntries(
      [...handlersOf(type.prototype, isController)].map(([name, handled]) => [
        name,
        handled.map(({ kind }) => kind),
      ]),
    );

  it('are found on its bases, several on one method, and none of a method that is overridden without decorators', () => {
    class Base {
      @Get('a')
      @OnEvent('a')
      a(): void {}
      @Get('b')
      b(): void {}
    }
    class Cats extends Base {
      readonly arrow = (): void => {};
      override b(): void {}
      get c(): never {
        throw new Error('a getter ran');
      }
    }
    expect(kinds(Cats, true)).toEqual({ a: ['http', 'event'] });
    expect(kinds(Cats)).toEqual({ a: ['event'] });
  });

  it('are named by the decorators of the class for queues and commands', () => {
    // As @Processor of @nestjs/bullmq and @CommandHandler, @QueryHandler and @EventsHandler of @nestjs/cqrs do.
    @SetMetadata('bullmq:processor_metadata', { name: 'mails' })
    class Mails {
      process(): void {}
      other(): void {}
    }
    @SetMetadata('__commandHandler__', { id: '1' })
    class Order {
      execute(): void {}
    }
    @SetMetadata('__eventsHandler__', [])
    class Ordered {
      handle(): void {}
    }
    expect([kinds(Mails), kinds(Order), kinds(Ordered)]).toEqual([
      { process: ['queue'] },
      { execute: ['command'] },
      { handle: ['event'] },
    ]);
  });

  it('are none of a provider without such decorators', () => {
    class Plain {
      process(): void {}
      execute(): void {}
      handle(): void {}
    }
    expect(kinds(Plain)).toEqual({});
  });
});

describe('the container of an application', () => {
  it('is created whatever its providers are, and values and factories have their handlers measured', async () => {
    class Listener {
      @OnEvent('a')
      a(): void {}
    }
    class Made {
      @OnEvent('b')
      b(): void {}
    }
    @Controller()
    class Cats {
      @Get()
      all(): void {}
    }
    const hostile = new Proxy(class {}, {
      get() {
        throw new Error('a trap ran');
      },
      getPrototypeOf() {
        throw new Error('a trap ran');
      },
    });
    @Module({
      imports: [PerformanceModule.forRoot({ alerts: { enabled: false } })],
      controllers: [Cats],
      providers: [
        { provide: 'value', useValue: new Listener() },
        { provide: 'factory', useFactory: () => new Made() },
        { provide: 'null', useValue: null },
        { provide: 'bare', useValue: Object.create(null) },
        { provide: 'frozen', useValue: Object.freeze({}) },
        { provide: 'function', useValue: () => 1 },
        { provide: 'hostile', useFactory: () => ({ hostile }) },
      ],
    })
    class App {}
    const { a } = Listener.prototype;
    const { b } = Made.prototype;
    const { all } = Cats.prototype;
    const testing = await Test.createTestingModule({ imports: [App] }).compile();
    await testing.init();
    expect([Listener.prototype.a === a, Made.prototype.b === b, Cats.prototype.all === all]).toEqual([
      false,
      false,
      false,
    ]);
    await testing.close();
    expect([Listener.prototype.a, Made.prototype.b, Cats.prototype.all]).toEqual([a, b, all]);
  });
});
