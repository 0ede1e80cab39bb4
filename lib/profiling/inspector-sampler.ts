import type { Profiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { windowOf } from './inspector-window.js';
import type { Sampler, SampleWindow } from './sample-window.js';

type Inspector = typeof import('node:inspector');

/** The event with which V8 reports the end of a named profile. */
interface Finished {
  readonly params: { readonly title?: string; readonly profile: Profiler.Profile };
}

let sequence = 0;

/**
 * Samples the current thread with V8's profiler, through `node:inspector`.
 *
 * Windows are named profiles, as `console.profile` starts them, because several of those can run at the same time. The
 * next one starts before the current one ends, so no sample is lost. V8 also keeps its list of all code, which it would
 * drop with its last profile and rebuild for the next in about 30 ms.
 */
export class InspectorSampler implements Sampler {
  readonly name = 'inspector';
  private session: Session | undefined;
  private inspector: Inspector | undefined;
  private running: { readonly title: string; readonly begunAt: number } | undefined;
  /** By title: running profiles, and finished ones that V8 has reported. Up to two. */
  private readonly profiles = new Map<string, Profiler.Profile | undefined>();

  /** @param intervalMs milliseconds between two samples */
  constructor(private readonly intervalMs: number) {}

  obstacle(): string | undefined {
    return whyNoInspector();
  }

  start(): void {
    const inspector = process.getBuiltinModule('node:inspector');
    const session = new inspector.Session();
    session.connect();
    try {
      session.on('Profiler.consoleProfileFinished', (message) =>
        this.finished(message as unknown as Finished),
      );
      session.post('Profiler.enable');
      session.post('Profiler.setSamplingInterval', { interval: Math.round(this.intervalMs * 1000) });
      this.session = session;
      this.inspector = inspector;
      this.running = this.begin(inspector);
    } catch (error) {
      session.disconnect();
      throw error;
    }
  }

  rotate(): SampleWindow {
    const { inspector, running } = this;
    if (inspector === undefined || running === undefined) throw new Error('the sampler was not started');
    this.running = this.begin(inspector);
    return this.end(inspector, running);
  }

  stop(): void {
    const { inspector, running, session } = this;
    this.running = undefined;
    this.session = undefined;
    if (inspector !== undefined && running !== undefined) inspector.console.profileEnd(running.title);
    this.profiles.clear();
    session?.disconnect();
  }

  private begin(inspector: Inspector): { title: string; begunAt: number } {
    const title = `nestjs-performance ${++sequence}`;
    // V8 reads the clock before it prepares a first profile.
    const begunAt = performance.now();
    this.profiles.set(title, undefined);
    inspector.console.profile(title);
    return { title, begunAt };
  }

  private end(inspector: Inspector, { title, begunAt }: { title: string; begunAt: number }): SampleWindow {
    // A `console.profileEnd()` of the application ends the most recent profile, which may have been this one.
    if (this.profiles.get(title) === undefined) inspector.console.profileEnd(title);
    const profile = this.profiles.get(title);
    this.profiles.delete(title);
    if (profile === undefined) throw new Error('V8 returned no profile');
    return windowOf(profile, this.intervalMs, { now: begunAt, clockUs: profile.startTime });
  }

  private finished({ params: { title, profile } }: Finished): void {
    // Other parts of the application use `console.profile` as well.
    if (title !== undefined && this.profiles.has(title)) this.profiles.set(title, profile);
  }
}

/**
 * Why the profiler of this thread must not be used now; undefined if it may. A debugger can attach and detach at any
 * time.
 */
export function whyNoInspector(): string | undefined {
  // Some versions of Node abort the process instead of refusing the connection.
  if ('permission' in process && process.permission) return "Node's permission model is enabled";
  try {
    const url = process.getBuiltinModule('node:inspector').url();
    return url === undefined ? undefined : 'an inspector is open (--inspect), so the profiler is left to it';
  } catch {
    return 'this build of Node has no inspector';
  }
}
