import { type ComponentChildren, createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { CallSite } from '../../code/call-site.js';
import { CopyIcon } from './icons.js';
import { sourceLink } from './source-link.js';
import { visible } from './text.js';

const SHOWN_MS = 1600;

/** The template of addresses of lines, if the option `endpoint.sourceUrl` is set. */
export const SourceUrl = createContext<string | undefined>(undefined);

/** A line of the application's code, with a button that copies `file:line`, and a link if the option is set. */
export function CallSiteLine({ callSite }: { callSite: CallSite }) {
  const { function: name, file, line } = callSite;
  const link = sourceLink(useContext(SourceUrl), callSite);
  return (
    <span class="call-site">
      <span class="mono">{visible(name, 200)}</span>
      <span class="mono soft place">
        {visible(file, 300)}:{line}
      </span>
      <CopyButton text={() => `${file}:${line}`} what="file and line" />
      {link !== undefined && <a href={link}>Open</a>}
    </span>
  );
}

/** @param children the label of the button. Default: an icon */
export function CopyButton(props: { text: () => string; what: string; children?: ComponentChildren }) {
  const { text, what, children } = props;
  const [state, setState] = useState<'copied' | 'failed' | undefined>();
  useEffect(() => {
    if (state === undefined) return undefined;
    const timer = setTimeout(setState, SHOWN_MS, undefined);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async (): Promise<void> => setState((await copied(text())) ? 'copied' : 'failed');
  return (
    <button
      type="button"
      class="copy"
      onClick={copy}
      {...(children === undefined ? { 'aria-label': `Copy ${what}` } : {})}
    >
      {children ?? <CopyIcon />}
      <span role="status">{state === undefined ? '' : state === 'copied' ? 'Copied' : 'Copying failed'}</span>
    </button>
  );
}

/** Browsers offer the clipboard API on secure origins only; elsewhere a text field is selected and copied. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'hidden';
    const focused = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}
