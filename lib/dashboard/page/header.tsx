import type { Overview } from '../overview.js';
import type { ConnectionState, Live } from './connection.js';
import { ago, moment } from './format.js';
import { PauseIcon, PlayIcon } from './icons.js';
import { nameOf } from './instances.js';
import { overviewAddress } from './route.js';
import { visible } from './text.js';
import { ThemeButton } from './theme.js';

const STATES: Record<ConnectionState, { word: string; tone: string }> = {
  connecting: { word: 'Connecting', tone: 'idle' },
  live: { word: 'Live', tone: 'good' },
  polling: { word: 'Every 5 s', tone: 'good' },
  disconnected: { word: 'Reconnecting', tone: 'warn' },
  locked: { word: 'Locked', tone: 'warn' },
};

/** The service, the state of the connection, and the controls of the page. */
export function Header({ live }: { live: Live }) {
  const { overview, state, paused, pause } = live;
  const shown = paused ? { word: 'Paused', tone: 'idle' } : STATES[state];
  return (
    <header class="top">
      <a class="brand" href={overviewAddress()}>
        <span class="logo" aria-hidden="true" />
        {overview === undefined ? 'Performance' : visible(overview.service.name, 100)}
      </a>
      {overview !== undefined && <Service overview={overview} />}
      <span class={`connection ${shown.tone}`} role="status">
        <span class="dot" aria-hidden="true" />
        {shown.word}
        {state === 'disconnected' && overview !== undefined && !paused && (
          <span class="soft wide">last update {moment(overview.at, overview.at)}</span>
        )}
      </span>
      <button
        type="button"
        class="icon-button"
        aria-label={paused ? 'Resume live updates' : 'Pause live updates'}
        onClick={() => pause(!paused)}
      >
        {paused ? <PlayIcon /> : <PauseIcon />}
      </button>
      <ThemeButton />
    </header>
  );
}

function Service({ overview: { at, service } }: { overview: Overview }) {
  const { version, startedAt, countingSince, instance } = service;
  return (
    <span class="service soft">
      {version !== undefined && <span class="chip mono">{visible(version, 40)}</span>}
      <span class="wide mono" title={`Instance ${visible(instance.id, 300)}`}>
        {nameOf(instance)}
      </span>
      <span class="wide">started {ago(startedAt, at)}</span>
      {countingSince - startedAt > 60_000 && (
        <span class="wide">counting since {moment(countingSince, at)}</span>
      )}
    </span>
  );
}
