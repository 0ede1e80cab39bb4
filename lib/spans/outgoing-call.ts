import type { Attributes } from '@opentelemetry/api';
import { hasSecretPaths, withoutSecretSegments } from '../text/secret-paths.js';
import { constantInput, hashInput, nameInput } from './inputs.js';
import { isVersion, isWordWithDigits, templateOf } from './path-segment.js';
import type { Inputs, WorkKey } from './work-group.js';

/** Methods that change nothing, and those of them without a body, so that the address contains all of their values. */
const SAFE = /^(?:GET|HEAD|OPTIONS|QUERY)$/;
const BODILESS = /^(?:GET|HEAD|OPTIONS)$/;
/** Query parameters that may select a page of a list: by its number, or by a value of the page before. */
const PAGE_NUMBER =
  /^(?:page|p|pages?_?(?:number|no|num|index)|offset|skip|(?:start|end)(?:_?(?:index|at))?|from|to)$/i;
const PAGE_CURSOR =
  /^(?:cursor|(?:end|next)_?cursor|after|before|(?:starting|ending)_(?:after|before)|marker|(?:next|page)_?(?:page_?)?token|continuation(?:_?token)?|next|scroll_?id|(?:since|max)_?id)$/i;
/** Query parameters that differ in each call, and mean nothing. */
const NONCE = /^(?:_|_t|ts|timestamp|nonce|cb|cache_?buster|x-amz-.*)$/i;
/** Query parameters that are set by a developer, whatever their value. */
const SETTING =
  /^(?:limit|size|per_?page|page_?size|count|top|take|first|last|max(?:_?results)?|min|depth|level|rows|days?|hours?|minutes?|weeks?|months?|years?|quarter|period|window|interval|timeout|ttl|zoom|precision|scale|quality|w|h|width|height|radius|since|until|to|end|tz|time_?zone|v|version|rev(?:ision)?|api[-_]?version|api[-_]?key|key|app_?id|client_?id|access_?token|sig|page|offset|skip|start)$/i;
/** Query parameters whose value may be data although it looks like a word. */
const DATA =
  /(?:^|[_-])(?:ids?|name|user(?:name)?|login|e?mail|owner|author|slug|code|sku|q|query|search|term|ref|handle|title|cursor|next|after|before|token|hash)$|Ids?$|Name$/i;
/** Words, lists of words, and dates: chosen by a developer or given by the request. */
const WORDS = /^(?:[a-z]+(?:[-_.,+ ]+[a-z]+)*|\d{4}-\d{2}(?:-\d{2})?)$/i;
const MAX_WORDS = 40;
const MAX_INPUTS = 16;
const MAX_FINGERPRINT = 500;

/** An outgoing call without its values, and hashes of its values: undefined where they are unknown. */
export interface OutgoingCall {
  readonly key: WorkKey;
  readonly inputs: Inputs | undefined;
}

/**
 * Describes an outgoing call: `GET api.example.com/users/{}`. Its values are those of the path and of the query. Undefined
 * without a method or an address with a path.
 */
export function describeCall(attributes: Attributes): OutgoingCall | undefined {
  const method = attributes['http.request.method'] ?? attributes['http.method'];
  if (typeof method !== 'string') return undefined;
  const address = addressOf(attributes);
  if (address === undefined) return undefined;
  const { host, path, query } = address;
  if (hasSecretPaths(host)) return describeSecretCall(method, host, path);
  const inputs: number[] = [];
  let pages = 0;
  let previous = '';
  const shown = withoutSecretSegments(path);
  if (shown !== path) inputs.push(hashInput(path));
  const parts = shown
    .replace('?', '{}')
    .split('/')
    .map((segment) => {
      const part = templateOf(segment, previous);
      if (part !== segment) {
        if (/^pages?$/i.test(previous) && /^\d+$/.test(segment)) pages |= 1 << inputs.length;
        inputs.push(part === '{}.{}' ? constantInput(segment) : hashInput(segment));
      } else if (/\d/.test(segment) && !isVersion(segment)) inputs.push(nameInput(segment));
      previous = segment;
      return part;
    });
  let suffix = '';
  if (query !== undefined && query !== '')
    for (const pair of query.split('&')) {
      const equals = pair.indexOf('=');
      const name = (equals < 0 ? pair : pair.slice(0, equals)).replace(/(?:\[|%5B).*$/i, '');
      if (NONCE.test(name)) continue;
      const value = pair.slice(equals + 1);
      if (isPage(name, value)) {
        pages |= 1 << inputs.length;
        suffix ||= `?${name}={}`;
      }
      inputs.push(isSetting(name, value) ? constantInput(value) : hashInput(value));
    }
  const isSafe = SAFE.test(method);
  // In the fingerprint, too: the request for the first page often has no such parameter.
  if (!isSafe) suffix = '';
  const fingerprint =
    `${method} ${host}${parts.join('/')}`.slice(0, MAX_FINGERPRINT - suffix.length) + suffix;
  return {
    key: {
      fingerprint,
      name: fingerprint,
      effect: isSafe ? 'read' : 'write',
      ...(isSafe && pages !== 0 && inputs.length <= MAX_INPUTS
        ? { page: { inputs: inputs.length, pages, bound: 0 } }
        : {}),
    },
    inputs: inputs.length > MAX_INPUTS || !BODILESS.test(method) ? undefined : inputs,
  };
}

/** A call of a webhook or a bot: its path is one value. */
function describeSecretCall(method: string, host: string, path: string): OutgoingCall {
  const fingerprint = `${method} ${host}/{}`.slice(0, MAX_FINGERPRINT);
  return {
    key: { fingerprint, name: fingerprint, effect: SAFE.test(method) ? 'read' : 'write' },
    inputs: BODILESS.test(method) ? [hashInput(path)] : undefined,
  };
}

interface Address {
  readonly host: string;
  readonly path: string;
  readonly query: string | undefined;
}

const ADDRESS = /^[a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?([^/?#]+)([^?#]*)(?:\?([^#]*))?/i;

function addressOf(attributes: Attributes): Address | undefined {
  const url = attributes['url.full'] ?? attributes['http.url'];
  const full = typeof url === 'string' ? ADDRESS.exec(url) : null;
  // A password with a delimiter would be taken for the host.
  if (full !== null && /^[^[].*:(?!\d+$)/.test(full[1] as string)) return undefined;
  if (full !== null) return { host: full[1] as string, path: full[2] as string, query: full[3] };
  const path = attributes['url.path'];
  const search = attributes['url.query'];
  const target =
    typeof path === 'string'
      ? `${path}${typeof search === 'string' && search !== '' ? `?${search.replace(/^\?/, '')}` : ''}`
      : (attributes['http.target'] ?? url);
  if (typeof target !== 'string') return undefined;
  const whole = ADDRESS.exec(target);
  if (whole !== null) return { host: whole[1] as string, path: whole[2] as string, query: whole[3] };
  if (!target.startsWith('/')) return undefined;
  const [, plain = '/', query] = /^([^?#]*)(?:\?([^#]*))?/.exec(target) ?? [];
  return { host: hostOf(attributes), path: plain, query };
}

function hostOf(attributes: Attributes): string {
  const host = attributes['server.address'] ?? attributes['net.peer.name'] ?? attributes['http.host'];
  const peer = host ?? attributes['net.peer.ip'] ?? attributes['net.sock.peer.addr'];
  if (peer === undefined) return '(unknown host)';
  const port = attributes['server.port'] ?? attributes['net.peer.port'];
  const isDefault = port === undefined || /^(?:80|443)$/.test(String(port)) || String(peer).includes(':');
  return isDefault ? String(peer) : `${String(peer)}:${String(port)}`;
}

/** Whether a value may select a page. A date, as of `start`, is none. */
function isPage(name: string, value: string): boolean {
  return PAGE_NUMBER.test(name) ? /^\d{1,9}$/.test(value) : PAGE_CURSOR.test(name);
}

/** Whether a value of the query is known before any call is made. */
function isSetting(name: string, value: string): boolean {
  if (SETTING.test(name)) return true;
  if (DATA.test(name) || value.length > MAX_WORDS) return false;
  return value === '' || WORDS.test(value) || isWordWithDigits(value);
}
