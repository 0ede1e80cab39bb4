import { useEffect, useState } from 'preact/hooks';
import type { DetailedSlowOperation } from '../../explain/slow-operation.js';
import { CallSiteLine, CopyButton } from './call-site.js';
import { CauseBreakdown } from './cause-breakdown.js';
import { DetailHead } from './detail-head.js';
import { ago, duration, moment, number } from './format.js';
import { LogLines } from './log-lines.js';
import { PlanNote } from './plan-note.js';
import { Profile } from './profile.js';
import { RequestPhases } from './request-phases.js';
import { address } from './route.js';
import { Section } from './section.js';
import { BaselineComparison, HotFunctions, ProcessState } from './slow-evidence.js';
import { slowText } from './slow-text.js';
import { visible } from './text.js';
import { Waterfall } from './waterfall.js';
import type { WaterfallData } from './waterfall-rows.js';

type Slow = Omit<DetailedSlowOperation, 'waterfall'> & {
  readonly waterfall?: WaterfallData;
  /** Set if another instance has recorded it. */
  readonly instance?: string;
};

/** One slow operation: the explanation, then the evidence. */
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
          ×{number(slownessRatio)} the {operation.adaptive ? 'adaptive threshold' : 'threshold'} of{' '}
          {duration(thresholdMs)}
        </span>
        {error && <span class="chip bad">failed</span>}
        <span>
          {moment(timestamp, now)} ({ago(timestamp, now)})
        </span>
        {operation.instance !== undefined && <span class="mono">on {visible(operation.instance, 100)}</span>}
        {root !== undefined && <span>in {visible(root.name, 200)}</span>}
        <a href={address({ page: 'operation', type, name })}>All executions of {visible(name, 60)}</a>
      </DetailHead>
      <section class="panel why" aria-label="Explanation">
        <p class="explanation">{visible(operation.explanation)}</p>
        {callSite !== undefined && <CallSiteLine callSite={callSite} />}
        {operation.plan !== undefined && <PlanNote plan={operation.plan} />}
        <p class="facts">
          <CopyButton text={() => slowText(operation)} what="for an agent">
            Copy for an agent
          </CopyButton>
        </p>
      </section>
      <Section id="causes" title="Causes">
        <CauseBreakdown operation={operation} />
      </Section>
      {operation.waterfall !== undefined && (
        <Section id="waterfall" title="Waterfall" count={operation.waterfall.spans.length}>
          <Waterfall waterfall={operation.waterfall} />
        </Section>
      )}
      <div class="columns">
        {operation.http !== undefined && (
          <Section id="http" title="Request phases">
            <RequestPhases http={operation.http} durationMs={durationMs} />
          </Section>
        )}
        {operation.baseline !== undefined && (
          <Section id="baseline" title="Baseline comparison">
            <BaselineComparison operation={operation} baseline={operation.baseline} />
          </Section>
        )}
        {operation.resources !== undefined && (
          <Section id="resources" title="Process state">
            <ProcessState resources={operation.resources} />
          </Section>
        )}
        {operation.topFunctions !== undefined && operation.topFunctions.length > 0 && (
          <Section id="functions" title="Hot functions">
            <HotFunctions functions={operation.topFunctions} />
          </Section>
        )}
      </div>
      {operation.log !== undefined && (
        <Section id="log" title="Log" count={operation.log.lines.length}>
          <LogLines log={operation.log} />
        </Section>
      )}
      {operation.statement !== undefined && (
        <Section id="statement" title="Statement">
          <pre class="panel statement">
            <code>{visible(operation.statement, 20_000)}</code>
          </pre>
        </Section>
      )}
      {operation.profile !== undefined && <Profile id={operation.profile} instance={operation.instance} />}
      <p class="note ids">
        Trace <span class="mono">{visible(operation.traceId, 64)}</span>
        <CopyButton text={() => operation.traceId} what="trace ID" />
        <StoredFiles operation={operation} />
      </p>
    </>
  );
}

/** Heap snapshots are files of the machine of their instance, so that others cannot show them. */
function StoredFiles({ operation: { instance, heapSnapshot } }: { operation: Slow }) {
  if (heapSnapshot === undefined) return null;
  if (instance !== undefined) return <span>Its heap snapshot is on {visible(instance, 100)}</span>;
  return (
    <a href={`profiles/${encodeURIComponent(heapSnapshot)}`} download>
      Download heap snapshot
    </a>
  );
}

/** For this long after its end an explanation may still gain a profile and call sites. */
const SETTLING_MS = 3000;

interface Known {
  readonly operation?: Slow;
  readonly failure?: { readonly title: string; readonly text: string };
}

const GONE = {
  title: 'Slow operation not found',
  text: 'It was removed to make room for newer ones, or the application was restarted. One with a profile remains for as long as the profile.',
};
const NOT_LOADED = {
  title: 'Slow operation could not be loaded',
  text: 'The application did not respond as expected. Reload the page to retry.',
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
