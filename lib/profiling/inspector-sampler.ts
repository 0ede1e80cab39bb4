import type { Profiler, Session } from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { windowOf } from './inspector-window.js';
import type { Sampler, SampleWindow } from './sample-window.js';

type Inspector = typeof import('node:inspector');

/** Told of by V8 when a profile that was begun by name has ended. */
interface Finished {
  readonly params: { readonly title?: string; readonly profile: Profiler.Profile };
}

let sequence = 0;

/**
 * Samples by V8's own profiler, through `node:inspector`, in the thread that it is made in.
 *
 * The windows are profiles with a name, as `console.profile` begins them: of these several can run at a time. The next
 * one begins before the last one ends, so no sample is lost; and V8, which would forget where all code lies when
 * its last profile ends and list it anew for the next (some 30 ms), never has to.
 */
export class InspectorSampler implements Sampler {
  readonly name = 'inspector';
  private session: Session | undefined;
  private inspector: Inspector | undefined;
  private running: { readonly title: string; readonly begunAt: number } | undefined;
  /** By title: the profiles that run, and what they were once V8 has told it. Two at the most. */
  private readonly profiles = new Map<string, Profiler.Profile | undefined>();

  /** @param intervalMs from one sample to the next */
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
    if (inspector === undefined || running === undefined) throw new Error('it was not started');
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
    // V8 takes the time first, and then whatever it needs for a first profile.
    const begunAt = performance.now();
    this.profiles.set(title, undefined);
    inspector.console.profile(title);
    return { title, begunAt };
  }

  private end(inspector: Inspector, { title, begunAt }: { title: string; begunAt: number }): SampleWindow {
    // A `console.profileEnd()` of the application's ends the profile that was begun last, which may have been this.
    if (this.profiles.get(title) === undefined) inspector.console.profileEnd(title);
    const profile = this.profiles.get(title);
    this.profiles.delete(title);
    if (profile === undefined) throw new Error('V8 gave no profile');
    return windowOf(profile, this.intervalMs, { now: begunAt, clockUs: profile.startTime });
  }

  private finished({ params: { title, profile } }: Finished): void {
    // Others profile by `console.profile` as well.
    if (title !== undefined && this.profiles.has(title)) this.profiles.set(title, profile);
  }
}

/** Why the profiler of this thread must be left alone, if so. A debugger can attach, and go, at any time. */
export function whyNoInspector(): string | undefined {
  // Node does not always refuse the connection then: some versions abort the process.
  if ('permission' in process && process.permission) return 'Node runs with its permission model';
  try {
    const url = process.getBuiltinModule('node:inspector').url();
    return url === undefined ? undefined : 'an inspector is open (--inspect): the profiler is left to it';
  } catch {
    return 'this Node has no inspector';
  }
}
