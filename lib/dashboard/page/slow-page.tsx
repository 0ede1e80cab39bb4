import { useEffect, useState } from 'preact/hooks';
import type { SlowOperation } from '../../explain/slow-operation.js';
import { CallSiteLine, CopyButton } from './call-site.js';
import { CauseBreakdown } from './cause-breakdown.js';
import { DetailHead } from './detail-head.js';
import { Facts } from './facts.js';
import { ago, duration, moment, number } from './format.js';
import { HotFunctions } from './hot-functions.js';
import { HttpStretches } from './http-stretches.js';
import { Profile } from './profile.js';
import { address } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';
import { BaselineLatency } from './usual.js';
import { Waterfall } from './waterfall.js';
import type { WaterfallData } from './waterfall-rows.js';

type Slow = SlowOperation & { readonly waterfall?: WaterfallData };

/** One slow operation: why first, then the evidence. */
export function SlowPage({ id, now }: { id: string; now: number }) {
  const { operation, failure } = useSlowOperation(id);
  if (failure !== undefined)
    return (
      <>
        <DetailHead title={failure.title} />
        <p class="panel empty">{failure.text}</p>
      </>
    );
  if (operation === undefined) return <p class="panel empty">Loading…</p>;
  const { type, name, durationMs, thresholdMs, slownessRatio, timestamp, error, root, callSite } = operation;
  return (
    <>
      <DetailHead title={name} type={type}>
        <span class="took">{duration(durationMs)}</span>
        <span>
          ×{number(slownessRatio)} its {operation.adaptive ? 'usual limit' : 'threshold'} of{' '}
          {duration(thresholdMs)}
        </span>
        {error && <span class="chip bad">failed</span>}
        <span>
          {moment(timestamp, now)} ({ago(timestamp, now)})
        </span>
        {root !== undefined && <span>within {visible(root.name, 200)}</span>}
        <a href={address({ page: 'operation', type, name })}>All of {visible(name, 60)}</a>
      </DetailHead>
      <section class="panel why" aria-label="Why it was slow">
        <p class="explanation">{visible(operation.explanation)}</p>
        {callSite !== undefined && <CallSiteLine callSite={callSite} />}
      </section>
      <Section id="causes" title="Where the time went">
        <CauseBreakdown operation={operation} />
      </Section>
      {operation.waterfall !== undefined && (
        <Section id="waterfall" title="What ran when" count={operation.waterfall.spans.length}>
          <Waterfall waterfall={operation.waterfall} />
        </Section>
      )}
      <div class="columns">
        {operation.http !== undefined && (
          <Section id="http" title="The request">
            <HttpStretches http={operation.http} durationMs={durationMs} />
          </Section>
        )}
        {operation.baseline !== undefined && (
          <Section id="usual" title="Against what is usual">
            <BaselineLatency operation={operation} baseline={operation.baseline} />
          </Section>
        )}
        {operation.resources !== undefined && (
          <Section id="resources" title="The process meanwhile">
            <Facts resources={operation.resources} />
          </Section>
        )}
        {operation.topFunctions !== undefined && operation.topFunctions.length > 0 && (
          <Section id="functions" title="Its own CPU time">
            <HotFunctions functions={operation.topFunctions} />
          </Section>
        )}
      </div>
      {operation.statement !== undefined && (
        <Section id="statement" title="The statement">
          <pre class="panel statement">
            <code>{visible(operation.statement, 20_000)}</code>
          </pre>
        </Section>
      )}
      {operation.profile !== undefined && <Profile id={operation.profile} />}
      <p class="note ids">
        Trace <span class="mono">{visible(operation.traceId, 64)}</span>
        <CopyButton text={operation.traceId} what="trace id" />
        {operation.heapSnapshot !== undefined && (
          <a href={`profiles/${encodeURIComponent(operation.heapSnapshot)}`} download>
            Download the heap snapshot
          </a>
        )}
      </p>
    </>
  );
}

/** How long after it ended the explanation may still become better: a profile and lines come late. */
const SETTLING_MS = 3000;

interface Known {
  readonly operation?: Slow;
  readonly failure?: { readonly title: string; readonly text: string };
}

const GONE = {
  title: 'This slow operation is gone',
  text: 'It may have made room for newer ones, or the application was started anew.',
};
const NOT_LOADED = {
  title: 'This slow operation could not be read',
  text: 'The application did not answer as expected. Load the page again to retry.',
};

function useSlowOperation(id: string): Known {
  const [known, setKnown] = useState<Known & { readonly id: string }>({ id });
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      try {
        const response = await fetch(`slow/${encodeURIComponent(id)}`, { signal: abort.signal });
        if (!response.ok) {
          setKnown({ id, failure: response.status === 404 ? GONE : NOT_LOADED });
          return;
        }
        const operation = (await response.json()) as Slow;
        setKnown({ id, operation });
        if (operation.profile === undefined && Date.now() - operation.timestamp < SETTLING_MS)
          timer = setTimeout(load, SETTLING_MS);
      } catch {
        if (!abort.signal.aborted) setKnown({ id, failure: NOT_LOADED });
      }
    };
    load();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id]);
  return known.id === id ? known : {};
}
