import { createHash } from 'node:crypto';

const MAX_CHARACTERS = 256;

/** A text that fits an attribute: of a longer one its beginning, and a hash that keeps it apart from others. */
export function attributeText(text: string): string {
  if (text.length <= MAX_CHARACTERS) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${text.slice(0, MAX_CHARACTERS - hash.length - 1)}~${hash}`;
}
