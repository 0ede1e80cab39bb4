import { useEffect, useState } from 'preact/hooks';
import { type CpuProfile, type ReadProfile, readProfile } from './cpu-profile.js';
import { duration, share } from './format.js';
import { FunctionTable } from './function-table.js';
import { Section } from './section.js';
import { visible } from './text.js';

type FlameGraphComponent = typeof import('./flame-graph.js').FlameGraph;

/**
 * The CPU profile of a slow operation as a flame graph and a table. The viewer is loaded on demand.
 * @param instance the one that has it, unless it is this one
 */
export function Profile({ id, instance }: { id: string; instance?: string | undefined }) {
  const { profile, failure, FlameGraph } = useProfile(id, instance);
  const [marked, setMarked] = useState('');
  const url = `profiles/${encodeURIComponent(id)}`;
  return (
    <Section
      id="profile"
      title="CPU profile"
      aside={
        <span class="facts">
          {failure === undefined && (
            <a href={url} download={`${id}.cpuprofile`}>
              Download profile
            </a>
          )}
        </span>
      }
    >
      {failure !== undefined && <p class="panel empty">{failure}</p>}
      {failure === undefined && (profile === undefined || FlameGraph === undefined) && (
        <p class="panel empty">Loading…</p>
      )}
      {profile !== undefined && FlameGraph !== undefined && (
        <div class="panel padded">
          <p class="facts top-facts">
            <span>
              Code ran for <strong>{duration(profile.busyMs)}</strong> of {duration(profile.durationMs)} (
              {share(profile.durationMs > 0 ? profile.busyMs / profile.durationMs : 0)}). Waiting time is
              excluded.
            </span>
          </p>
          {profile.busyMs > 0 && (
            <>
              <FlameGraph root={profile.root} marked={marked} mark={setMarked} />
              <FunctionTable profile={profile} marked={marked} mark={setMarked} />
            </>
          )}
        </div>
      )}
    </Section>
  );
}

const DELETED = 'The profile was deleted to make room for newer ones.';

/** Why the profile of another instance is not here. */
async function reasonFrom(response: Response, instance: string): Promise<string> {
  const { message } = (await response.json()) as { message?: unknown };
  return typeof message === 'string' && message.includes('too large')
    ? visible(message, 300)
    : `Its profile is a file of instance ${visible(instance, 100)}, and not in the store of instances.`;
}

interface Loaded {
  readonly id: string;
  readonly profile?: ReadProfile;
  readonly failure?: string;
  readonly FlameGraph?: FlameGraphComponent;
}

function useProfile(id: string, instance: string | undefined): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ id });
  useEffect(() => {
    const abort = new AbortController();
    const load = async (): Promise<void> => {
      const [{ FlameGraph }, response] = await Promise.all([
        import('./flame-graph.js'),
        fetch(`profiles/${encodeURIComponent(id)}`, { signal: abort.signal }),
      ]);
      if (!response.ok) {
        setLoaded({ id, failure: instance === undefined ? DELETED : await reasonFrom(response, instance) });
        return;
      }
      setLoaded({ id, FlameGraph, profile: readProfile((await response.json()) as CpuProfile) });
    };
    load().catch(() => {
      if (!abort.signal.aborted)
        setLoaded({ id, failure: 'The profile could not be loaded. Reload the page to retry.' });
    });
    return () => abort.abort();
  }, [id, instance]);
  return loaded.id === id ? loaded : { id };
}
