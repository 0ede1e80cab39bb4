/** Names and versions with a digit: `v2`, `1.0` of an API, `oauth2`, `s3`. Their digits are no values. */
const VERSION = /^v\d{1,4}(?:[._]\d{1,3}){0,3}(?:(?:alpha|beta|rc|preview|p|next|dev)\d{0,3})?$/i;
const DOTTED_VERSION = /^\d{1,2}(?:\.\d{1,2}){1,2}$/;
const WORD_WITH_DIGITS = new RegExp(
  `^(?:${[
    // Encodings, hashes, ciphers and keys.
    'utf\\d{1,2}|iso\\d{4,8}|base\\d{2}|md\\d|sha\\d{1,3}|crc\\d{1,2}|aes\\d{0,3}|rsa\\d{0,4}|[ehpr]s\\d{3}|ed25519|x509|pkcs\\d{1,2}|p12|argon2(?:id?)?|pbkdf2|blake\\db?',
    // Networks and protocols.
    'ipv\\d|http\\d|h2c?|oauth\\dv?\\d?|saml\\d|tls1\\d?|socks\\d|pop3|imap4|psd2|fido2|u2f|web\\d|auth0|2fa|3ds2?|3dsecure|wss?2',
    // Services and products.
    's3|ec2|r53|route53|k8s|k3s|n8n|db2|d3|neo4j|log4j2?|gpt\\d|o365|office365|m365|d365|dynamics365|ga4|es\\d|css\\d|html\\d|py\\d|php\\d|win\\d{2}|x86|x64|arm\\d{2}|amd\\d{2}|i386',
    // Formats.
    'mp[234]|h26[45]|av1|vp[89]|jp2|jpeg2000|3gp|x3d|2d|3d|bz2|7z|mt\\d{3}|iso20022|camt\\d{1,3}|w[29]|f?1099',
    // Abbreviations.
    'i18n|l10n|a11y|g11n|o11y|b2[bce]|c2[bc]|p2p|m2m|s2s|d2c|e2e|h2h|o2o|s2t|t2s|co2|h2o|covid19|[2345]g|4k|8k|q[1-4]|h[12]|top\\d{1,3}|ww2',
  ].join('|')})$`,
  'i',
);

/** What identifies one of many things though it may have no digit: an address, an encoded text, a long or mixed word. */
const OPAQUE = /[@%=:~]|^.{25,}$|^(?=.{12})(?=.*[a-z])(?:.*?[A-Z][a-z]?(?=[A-Z])){2}/;
/** A word with a short number of its own, which may be a name or one of many: `disc2`, `k9s`. */
const NUMBERED_WORD = /^([a-z]+)\d{1,2}[a-z]{0,2}$/i;

/**
 * A segment of a path without its values.
 * @param previous the segment before it: `user7` behind `users` is one of many
 * @returns the segment itself if it is a name, `{}` if it is a value, `disc{}` if only its number may be one
 */
export function templateOf(segment: string, previous: string): string {
  if (/^\d+$/.test(segment) || OPAQUE.test(segment)) return '{}';
  if (!/\d/.test(segment) || isWordWithDigits(segment)) return segment;
  const pieces = segment.split(/[-_.]/);
  const others = pieces.filter((piece) => /\d/.test(piece) && !isWordWithDigits(piece));
  if (others.length === 0 && pieces.length > 1) return segment;
  if (DOTTED_VERSION.test(segment)) return segment.replace(/\d+/g, '{}');
  const word = others.length === 1 ? NUMBERED_WORD.exec(others[0] as string)?.[1] : undefined;
  if (word === undefined || pieces.length > 3 || isOneOf(word, previous)) return '{}';
  return segment.replace(/\d+/g, '{}');
}

/** Whether a segment is or contains a version, and no other digit. */
export function isVersion(segment: string): boolean {
  return segment.split(/[-_]/).every((piece) => !/\d/.test(piece) || VERSION.test(piece));
}

/** Whether a text is a version or a word that is written with digits. */
export function isWordWithDigits(text: string): boolean {
  return (
    VERSION.test(text) || WORD_WITH_DIGITS.test(text) || WORD_WITH_DIGITS.test(text.replace(/[-_]/g, ''))
  );
}

/** `user` of `users`. */
function isOneOf(word: string, collection: string): boolean {
  const name = collection.toLowerCase();
  const one = word.toLowerCase();
  return name === `${one}s` || name === `${one}es` || name === `${one.replace(/y$/, 'ie')}s`;
}
