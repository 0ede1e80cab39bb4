/** What the names of secrets end with: `userPassword`, `x-api-key`, `aws.secret_access_key`, `token2`. */
const ENDING =
  '(?:pass(?:word|wd|phrase|code)s?|pwd|secrets?|token|jwt|cookies?|credentials?|authorization|signature|(?:api|access|account|private|secret|signing|encryption|shared|auth)[_. -]?keys?)[._-]?\\d{0,3}';
const NAME = new RegExp(`${ENDING}$`, 'i');
/**
 * A name and its value in a text. The value of a header extends to the end of the line, another one to the next
 * delimiter. The expression begins at the ending, so that its time is linear.
 */
const NAMED_VALUE = new RegExp(
  `((?:authorization|cookie)["']?\\s*[=:]\\s*)(?!["'\\s])[^\\r\\n]+|(${ENDING}["']?\\s*[=:]\\s*)(?:"[^"]*"?|'[^']*'?|(?:bearer|basic)\\s+[^\\s;,&"']+|[^\\s;,&"']+)`,
  'gi',
);

/** Whether a name is that of a secret. This is the only list of such names. */
export function isSecretName(name: string): boolean {
  return NAME.test(name);
}

/** A text with `?` for the values of named secrets: `password=?`. */
export function withoutNamedSecrets(text: string): string {
  return text.includes('=') || text.includes(':') ? text.replace(NAMED_VALUE, '$1$2?') : text;
}
