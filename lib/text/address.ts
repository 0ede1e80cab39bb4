import { withoutNamedSecrets } from './secret-names.js';
import { hasSecretPaths, withoutSecretSegments } from './secret-paths.js';

const AUTHORITY = /^([a-z][a-z0-9+.-]*:)?(\/\/)?/i;
const PLAIN_PATH = /^\/(?!\/)[^?#;]*$/;
const HTTP = /^(?:https?|wss?):$/i;

/**
 * An address without user and password, values of parameters, query string and fragment:
 * `https://user:password@host/a;b=c?d=e#f` becomes `https://host/a;b=?`. A path alone is an address, too.
 * Of a webhook or a bot only the host remains: `https://hooks.slack.com/?`.
 */
export function withoutValues(address: string): string {
  if (PLAIN_PATH.test(address)) return withoutSecretSegments(address);
  const [begin = '', scheme = '', slashes] = AUTHORITY.exec(address) ?? [];
  if (slashes === undefined) {
    // `user:password@host`, `data:...`, `mailto:...`
    if (scheme !== '') return `${scheme}?`;
    return withoutParameters(pathOf(address));
  }
  const rest = address.slice(begin.length);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  let host = authority.slice(authority.lastIndexOf('@') + 1);
  let path = end < 0 ? '' : rest.slice(end);
  const isHttp = HTTP.test(scheme);
  if (isHttp ? /^[^[].*:(?!\d+$)/.test(host) : path.includes('@')) {
    // The password contains a delimiter: `redis://user:a/b@host`.
    const last = rest.lastIndexOf('@');
    if (last < 0 || last > rest.search(/[?#]|$/)) return `${begin}?`;
    const after = rest.slice(last + 1);
    const next = after.search(/[/?#]|$/);
    host = after.slice(0, next);
    path = after.slice(next);
  }
  const shown = hasSecretPaths(host) && path.length > 1 ? '/?' : withoutParameters(pathOf(path));
  return `${begin}${host}${shown}`;
}

/** The scheme and host of an address, as logs and errors name it. Its path may be a secret. */
export function originOf(address: string): string {
  // `localhost:4317`, `host/path`
  const [host] = /^[\w.-]+(?::\d+)?(?=[/?#]|$)/.exec(address) ?? [];
  if (host !== undefined) return host;
  const short = withoutValues(address);
  const [begin = ''] = AUTHORITY.exec(short) ?? [];
  const end = short.slice(begin.length).search(/\//);
  return end < 0 ? short : short.slice(0, begin.length + end);
}

function pathOf(text: string): string {
  const end = text.search(/[?#]/);
  return end < 0 ? text : text.slice(0, end);
}

/** Without secrets and the values of parameters in the path: `/a;jsessionid=?`. */
function withoutParameters(path: string): string {
  const shown = withoutSecretSegments(path);
  return shown.includes(';') ? shown.replace(/(;[^=;/]*)=[^;/]*/g, '$1=?') : shown;
}

const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s"'<>)\]}]+/gi;
const SCHEME_AND_TOKEN = /\b(bearer|basic)\s+[\w.~+/-]{6,}=*/gi;
const WORD = /[^\s"']+/g;
/** The end of a user before a colon and a password. */
const USER_END = /[^/@:=?](?=:(?!\/\/))/;
const BEFORE_USER = /[/@:=?]/;
const HOST_START = /[\w.[-]/;
/** Without one of these, or white space, a text contains no credentials. */
const SUSPECT = /[/:=@\s]/;

/** A text with its addresses replaced. */
export function replaceAddresses(text: string, replace: (address: string) => string): string {
  return text.includes('://') ? text.replace(URL_IN_TEXT, replace) : text;
}

/** A text, such as a log line, with its addresses without values, and without named secrets. */
export function withoutCredentials(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const shown = replaceAddresses(withoutSecretSegments(text), withoutValues);
  return withoutNamedSecrets(withoutUserInfo(shown)).replace(SCHEME_AND_TOKEN, '$1 ?');
}

/** Without `user:password@`, which may have no scheme before it. */
function withoutUserInfo(text: string): string {
  if (!text.includes('@') || !text.includes(':')) return text;
  return text.replace(WORD, (word) => {
    let end = word.lastIndexOf('@');
    while (end > 0 && !HOST_START.test(word.charAt(end + 1))) end = word.lastIndexOf('@', end - 1);
    const colon = USER_END.exec(word.slice(0, Math.max(0, end)))?.index;
    if (colon === undefined) return word;
    let begin = colon;
    while (begin > 0 && !BEFORE_USER.test(word.charAt(begin - 1))) begin--;
    return word.slice(0, begin) + word.slice(end + 1);
  });
}

/** The settings of a connection string that are kept. */
const SETTING =
  /^(?:server|data source|address|addr|network address|host|port|database|initial catalog|driver|servername)$/i;

/** A connection string without user, password and other values: an address, or `Server=..;Password=..`. */
export function connectionWithoutValues(text: string): string {
  const [prefix = ''] = /^jdbc:/i.exec(text) ?? [];
  const rest = text.slice(prefix.length);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(rest)) return prefix + withoutValues(rest);
  if (!rest.includes('=')) return /^[\w.-]+(?::\d+)?(?:\/[\w.-]*)?$/.test(rest) ? text : '?';
  const parts = rest.split(rest.includes(';') ? ';' : /(?<!\s)\s+(?=\w+\s*=)/);
  return parts.map(settingWithoutValue).join(';');
}

function settingWithoutValue(part: string): string {
  const at = part.indexOf('=');
  if (at < 0) return part === '' ? '' : '?';
  const name = part.slice(0, at).trim();
  const isKept = SETTING.test(name) && /^[\w.,:\\/ -]*$/.test(part.slice(at + 1));
  return isKept ? part : `${/^[\w ]{1,40}$/.test(name) ? name : '?'}=?`;
}
