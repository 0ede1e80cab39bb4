import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Attributes } from '@opentelemetry/api';
import { Redacting, shown } from '../support/redacting.js';

const S = 'zqxsecret';

describe('the names of redacted spans', () => {
  let redacting: Redacting;
  beforeEach(() => {
    redacting = new Redacting();
  });
  afterEach(() => redacting.shutdown());

  it.each<[string, Attributes, string]>([
    [`process {"email":"${S}"}`, {}, 'process ?'],
    [`process {email: ${S}}`, {}, 'process ?'],
    [`find { name: ${S} }`, {}, 'find ?'],
    [`{"query":"${S}"}`, {}, '?'],
    [`query {"email": "${S}"}`, {}, 'query ?'],
    [`query { email: ${S} }`, {}, 'query { email: ? }'],
    [`find "${S}" in ${S}`, {}, 'find ?'],
    [`find \`${S}\``, {}, 'find ?'],
    [`it's '${S}'`, {}, 'it?'],
    [`send to ${S}@example.com`, {}, 'send to ?'],
    [`send users/${S}@example.com`, {}, 'send ?'],
    [`search?q=${S}`, {}, 'search'],
    [`load id=${S} name=${S}`, {}, 'load id=? name=?'],
    [`a/b#${S}`, {}, 'a/b'],
    [`login password: ${S}`, {}, 'login password: ?'],
    [`Bearer ${S}`, {}, 'Bearer ?'],
    [`my_user:${S}@host`, {}, '?'],
    [`GET https://u:${S}@host/users/:id?`, { 'http.route': '/users/:id?' }, 'GET https://host/users/:id?'],
    [`GET /a?token=${S}/`, { 'http.route': '/' }, 'GET /a/'],
    [`find "${S}"`, { 'http.route': '' }, 'find ?'],
    [`user:${S}@example.com`, { 'db.system': 'redis' }, 'cache'],
  ])('contain no value: %s', (name, attributes, expected) => {
    const span = redacting.exported(name, attributes);
    expect(shown(span)).not.toContain(S);
    expect(span.name).toBe(expected);
    expect(JSON.stringify(redacting.monitor.getStats({ operations: 100 }))).not.toContain(S);
  });

  it.each<[string, Attributes]>([
    ['GET /users/{id}', {}],
    ['GET /users/{user_id}.json', {}],
    ['GET /files/{a}-{b}/{path:.*}', {}],
    ['GET /a?', { 'http.route': '/a?' }],
    ['GET /{*any}', { 'http.route': '/{*any}' }],
    ['Order.place', {}],
    ['Order#place', {}],
    ['@nestjs/core', {}],
    ['middleware - /users/:id', {}],
    ['render <App />', {}],
    ['x => y', {}],
    ['a >= b', {}],
    ['is ready?', {}],
    ['refresh token', {}],
    ['query GetUser', {}],
    ['mutation', {}],
    ['tcp.connect 10:20', {}],
  ])('are kept without any: %s', (name, attributes) => {
    expect(redacting.exported(name, attributes).name).toBe(name);
  });
});
