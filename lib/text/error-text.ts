import { constants } from 'node:os';
import { replaceAddresses, withoutValues } from './address.js';

/** The longest cleaned text, in characters. */
const MAX_TEXT = 500;

/**
 * The words of the errors of Node.js, its drivers and servers. A word that is none of them may be a value: an error of a
 * database contains the row, one of a parser the input.
 */
const VOCABULARY: ReadonlySet<string> = new Set(
  `a aborted access acquire acquired acquiring address after aggregate all allocate allowed already an and another any
   application are argument arguments array as assertion assignment async at attempt authentication authorization
   auth aux available await bad be because been before begin being between body boolean both broken buffer but by bytes
   cache call callback called calling can cancel canceled cancelled cancelling cannot cast certificate change changed
   channel character characters check circular class client close closed closing code coerce collection column columns
   command commands commit concurrent condition configuration conflict conflicts connect connected connecting connection
   connections constraint constructor contain contains content context conversion convert converting could create
   created credentials cursor cyclic data database date deadlock decimal declared default define defined definition
   delete deleted denied depth deserialize detected device did different directory disabled disallowed disconnected
   division does done down duplicate during element empty enabled encoding encountered end ended engine enough entity
   entry enum equal error errors exceeded exception exclusion execute executed execution exhausted exist existing exists
   exit expected expired expression extra failed failing failure fatal fetch field fields file first for forbidden
   foreign format found free from full function gateway generator given got group had handler handshake hang has have header
   headers host http https id identifier if ignored illegal import in incorrect index initialization initialized input
   insert inserted instance instead insufficient integer interface internal interrupted into invalid invocation is
   isolation issued it iterable its join json key keys kill killed large last length less limit line lock locked long longer
   lookup lost main malformed many match matching maximum may member memory message method minimum missing mode model
   module more multiple must name near negative network new no node non not null number numeric object of off offset on
   once one only open opened operation operations operator option optional or order other out output overflow overlap
   owner packet page parameter parameters parent parse parser parsing password path pending permission permissions pool
   port position possible precision prepared primary privilege process product program promise properties property
   protocol provided proxy query queue range read reader readonly reading ready reason received record records
   recovery recursion redirect reference referenced references refused register rejected rejection relation remaining
   remote remove replica request requests require required requires reserved reset resolve resource response result
   results retry return returned returning returns rollback role row rows run running schema scope select self sequence
   serialization serialize serializable server service session set setting should shutdown signal size slot socket some
   space specified stack start started state statement statements status still stopped storage store stream string such
   supported symbol syntax system table take temporarily temporary terminated terminating terminator text than that
   the there this throttled throw thrown time timed timeout timeouts timestamp to token too transaction transactions
   transform trigger truncated try trying tuple type types unable unauthorized unavailable unchecked undefined
   unexpected unhandled unique unknown unmatched unprocessable unreachable unrecognized unsupported until unterminated
   up update updated upstream url use used user username uuid value values variable version view violated violates
   violation wait waiting was were when where which while with within without write writing wrong you your zero valid varying short dup getaddrinfo ms not-null doesn't can't isn't didn't won't couldn't shouldn't
   aren't hasn't wasn't`.split(/\s+/),
);
/** Codes of errors: those of the operating system, of Node.js, and of drivers. */
const CODES: ReadonlySet<string> = new Set([
  ...Object.keys(constants.errno),
  ...`ENOTFOUND EAI_AGAIN EAI_NODATA EPROTO ESOCKETTIMEDOUT WRONGTYPE WRONGPASS NOAUTH NOPERM MOVED READONLY LOADING
      BUSY OOM ERR HTTP SQL TCP TLS DNS IP`.split(/\s+/),
]);
const CODE =
  /^(?:ORA-\d{1,5}|ERR?_[A-Z_]{2,60}|SQLITE_[A-Z]{2,20}|E11000|P\d{4}|[A-Z]\w{0,40}(?:Error|Exception))$/;
/** The name of an error's class or its code. */
const TYPE = /^[\w$][\w$.:-]{0,99}$/;

const STATUS = /\bstatus(?: code)? \d{3}\b/gi;
/** A part of a schema, which is no value. */
const NAMED =
  /\b(?:constraint|relation|table|index|object|for key) (["'`])[\w$]{1,63}(?:\.[\w$]{1,63}){0,2}\1|\b(?:collection|index|constraint failed): [\w$.]{1,130}/gi;
/** From the first quote to the last: a value may contain quotes, and servers do not escape them. */
const QUOTED = /(?:(?<![\p{L}\p{N}])['‘]|["`“«])(?:.*(?:["`”»]|['’](?!\p{L}))|.*)/u;
const BRACKETED = /([([{]).*([)\]}])/;
/** A frame of V8: `at name (file:1:2)`. */
const FRAME =
  /^\s+at (?:[^()'"`]{1,300} \((?:[^()'"`]{1,500}:\d+:\d+|<anonymous>|index \d+)\)|[^()'"`\s]{1,500}:\d+:\d+)$/;
const MAX_FRAMES = 50;
/** The characters of private use that stand for what is kept. */
const PLACEHOLDERS = 0xe000;

/**
 * The message of an error without the values in it: `Key (email)=(a@b.c) already exists` becomes `Key (?) already exists`.
 * Only the first line is kept, and of it the words that errors consist of, codes, the names of tables and constraints,
 * addresses without values, and HTTP status codes.
 */
export function errorWithoutValues(message: string): string {
  const kept: string[] = [];
  const keep = (text: string): string => String.fromCharCode(PLACEHOLDERS + kept.push(text) - 1);
  const text = firstLine(message).replace(/[\ue000-\uf8ff]/g, '?');
  return replaceAddresses(text, (address) => keep(withoutValues(address)))
    .replace(STATUS, keep)
    .replace(NAMED, keep)
    .replace(QUOTED, '?')
    .replace(BRACKETED, '$1?$2')
    .replace(/[^\s.,:;!()[\]{}<>=]+/g, (word) => (isKnown(word) ? word : '?'))
    .replace(/\?(?:[\s.,:;=-]*\?)+/g, '?')
    .replace(/[\ue000-\uf8ff]/g, (index) => kept[index.charCodeAt(0) - PLACEHOLDERS] ?? '?')
    .trim();
}

/** The name of an error's class or its code, or `?` for any other text. */
export function errorType(type: string): string {
  return TYPE.test(type) ? type : '?';
}

/**
 * A stack trace without the values in its message.
 * @param message the message of the error, which may have any number of lines
 */
export function stackWithoutValues(stack: string, message: string | undefined): string {
  const at = message === undefined || message === '' ? -1 : stack.indexOf(message);
  const head = at < 0 ? (stack.split('\n', 1)[0] as string) : stack.slice(0, at) + message;
  const frames = stack
    .slice(at < 0 ? 0 : at + (message as string).length)
    .split('\n', 1000)
    .filter((line) => FRAME.test(line) && !line.includes('data:'))
    .slice(0, MAX_FRAMES);
  const [name, rest] = splitHead(head);
  return [rest === '' ? name : `${name}: ${errorWithoutValues(rest)}`, ...frames].join('\n');
}

function splitHead(head: string): [name: string, rest: string] {
  const found = /^([\w$.]{1,100})(?: \[\w{1,60}\])?(?:: |$)/.exec(head);
  return found === null ? ['Error', head] : [errorType(found[1] as string), head.slice(found[0].length)];
}

function firstLine(text: string): string {
  const end = text.search(/[\r\n]/);
  return text.slice(0, end < 0 ? MAX_TEXT : Math.min(end, MAX_TEXT));
}

function isKnown(word: string): boolean {
  return (
    /^[\ue000-\uf8ff]$/.test(word) ||
    /^[-\u2013\u2014%&/|+*]+$/.test(word) ||
    VOCABULARY.has(word.toLowerCase()) ||
    CODES.has(word) ||
    CODE.test(word)
  );
}
