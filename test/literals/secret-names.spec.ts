import { describe, expect, it } from '@jest/globals';
import { normalizeStatement } from '../../lib/spans/statement-text.js';
import { withoutCredentials } from '../../lib/text/address.js';
import { isSecretName } from '../../lib/text/secret-names.js';
import { Redacting, shown } from '../support/redacting.js';
import { SECRET } from './planted-statements.js';

const NAMES = [
  'password',
  'userPassword',
  'user_password',
  'db.passwd',
  'PWD',
  'passphrase',
  'authToken',
  'access_token',
  'x-api-key',
  'apiKey',
  'aws.secret_access_key',
  'secretAccessKey',
  'client_secret',
  'privateKey',
  'AccountKey',
  'SharedAccessKey',
  'credentials',
  'app.cookie',
  'set-cookie',
  'Authorization',
  'signature',
  'session.jwt',
  'token2',
];

describe('the names of secrets', () => {
  it.each(NAMES)('are the same everywhere: %s', async (name) => {
    expect(isSecretName(name)).toBe(true);
    for (const text of [
      `${name}=${SECRET}`,
      `${name}: ${SECRET}`,
      `the ${name} = '${SECRET}' b`,
      `{"${name}":"${SECRET} ${SECRET}","a":1}`,
      `{"${name}": "${SECRET}`,
      `x ${name}: Bearer ${SECRET}`,
    ])
      expect(withoutCredentials(text)).not.toContain(SECRET);
    const redacting = new Redacting();
    const span = redacting.exported('work', { [name]: SECRET, 'app.text': `${name}=${SECRET}` });
    expect(shown(span)).not.toContain(SECRET);
    await redacting.shutdown();
    // What no word of SQL can be is quoted there.
    if (/^\w+$/.test(name) && name !== 'Authorization')
      expect(normalizeStatement(`CREATE USER a WITH CREATEDB ${name} ${SECRET}`)).not.toContain(SECRET);
  });

  it.each([
    'app.tokens',
    'gen_ai.usage.input_tokens',
    'passed',
    'keyboard',
    'tokenizer',
    'db.key.count',
    'secretary',
    'cache.key',
    'bypass',
  ])('are not %s', async (name) => {
    expect(isSecretName(name)).toBe(false);
    expect(withoutCredentials(`${name}: 5 of ${name}=7`)).toBe(`${name}: 5 of ${name}=7`);
    const redacting = new Redacting();
    expect(redacting.exported('work', { [name]: 'shown' }).attributes[name]).toBe('shown');
    await redacting.shutdown();
  });

  it.each([
    ['my_user:pw@host', 'host'],
    [`connect my_user:${SECRET}@host:5432 failed`, 'connect host:5432 failed'],
    [`my_user:a@${SECRET}@host`, 'host'],
    [`db=u:${SECRET}@[::1]:80/a`, 'db=[::1]:80/a'],
    [`Cookie: a=${SECRET}; b=${SECRET}`, 'Cookie: ?'],
    [`authorization: Digest username=${SECRET}, response=${SECRET}\nnext`, 'authorization: ?\nnext'],
    ['me@example.com', 'me@example.com'],
    ['git@github.com:a/b.git', 'git@github.com:a/b.git'],
    ['at /app/node_modules/@nestjs/core/x.js:10:5', 'at /app/node_modules/@nestjs/core/x.js:10:5'],
    ['12:30 mail to a@b.c', '12:30 mail to a@b.c'],
  ])('and users with passwords are removed: %s', async (text, expected) => {
    expect(withoutCredentials(text)).toBe(expected);
    const redacting = new Redacting();
    expect(redacting.exported('work', { 'app.text': text }).attributes['app.text']).toBe(expected);
    await redacting.shutdown();
  });
});
