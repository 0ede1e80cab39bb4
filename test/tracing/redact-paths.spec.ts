import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { describeCall } from '../../lib/spans/outgoing-call.js';
import { withoutCredentials, withoutValues } from '../../lib/text/address.js';
import { Redacting, shown } from '../support/redacting.js';

const S = 'zqxSecretOfTheWebhook1';

describe('secrets in paths', () => {
  let redacting: Redacting;
  beforeEach(() => {
    redacting = new Redacting();
  });
  afterEach(() => redacting.shutdown());

  const secrets: [host: string, path: string][] = [
    ['hooks.slack.com', `/services/T0AB/B0CD/${S}`],
    ['api.telegram.org', `/bot123:${S}/sendMessage`],
    ['api.telegram.org:443', `/file/bot123:${S}/a.jpg`],
    ['discord.com', `/api/webhooks/123456/${S}`],
    ['canary.discord.com:443', `/api/v10/webhooks/123456/${S}/slack`],
    ['acme.webhook.office.com', `/webhookb2/${S}`],
    ['hook.eu1.make.com', `/${S}`],
    ['maker.ifttt.com', `/trigger/a/with/key/${S}`],
    ['webhook.site', `/${S}`],
  ];

  it.each(secrets)('of %s are hidden wherever the path is recorded', (host, path) => {
    const name = host.split(':')[0] as string;
    const recorded: Attributes[] = [
      { 'url.full': `https://${host}${path}`, 'url.path': path },
      { 'http.url': `https://${host}${path}`, 'http.target': path },
      { 'server.address': name, 'server.port': 443, 'url.path': path, 'http.url': path },
      { 'net.peer.name': name, 'http.target': `${path}?a=b`, 'url.original': path },
      { 'http.host': host, 'http.path': path, 'http.uri': path, url: path },
      { 'server.address': name, 'app.called': `sent to https://${host}${path}` },
    ];
    for (const attributes of recorded) {
      const span = redacting.exported('POST', { 'http.request.method': 'POST', ...attributes });
      expect(shown(span)).not.toContain(S);
      expect(shown(span)).toContain(name);
    }
    expect(JSON.stringify(redacting.monitor.getStats({ operations: 100 }))).not.toContain(S);
  });

  it.each(secrets)('of %s are in no group of calls', (host, path) => {
    const call = describeCall({ 'http.method': 'POST', 'http.url': `https://${host}${path}` });
    expect(call?.key.name).toBe(`POST ${host}/{}`);
    expect(call?.inputs).toBeUndefined();
    const [one, other] = [path, `${path}x`].map((each) =>
      describeCall({ 'http.method': 'GET', 'http.url': `https://${host}${each}` }),
    );
    expect(one?.inputs).not.toEqual(other?.inputs);
  });

  // A proxy, a server of its own, or a span without its host.
  it.each([
    [`/services/T0AB/B0CD/${S}`, '/services/?'],
    [`/bot123:${S}/sendMessage`, '/bot?'],
    [`/slack/services/T0AB/B0CD/${S}`, '/slack/services/?'],
    [`/api/webhooks/123456/${S}`, '/api/webhooks/?'],
    [`/hooks/${S}`, '/hooks/?'],
    [`/webhook/a/${S}/b?c=d`, '/webhook/?'],
  ])('are recognized by their form: %s', (path, expected) => {
    expect(withoutValues(path)).toBe(expected);
    expect(withoutValues(`https://proxy${path}`)).toBe(`https://proxy${expected}`);
    expect(withoutCredentials(`POST ${path} failed`)).toBe(`POST ${expected} failed`);
    const span = redacting.exported(`POST ${path}`, { 'url.path': path, 'app.path': path });
    const calls = [path, `${path}x`].map((each) =>
      describeCall({ 'http.method': 'GET', 'server.address': 'a', 'url.path': each }),
    );
    expect(calls[0]?.key.name).toBe(`GET a${expected.replace('?', '{}')}`);
    expect(calls[0]?.inputs).not.toEqual(calls[1]?.inputs);
    expect(span).toMatchObject({ name: `POST ${expected}`, attributes: { 'url.path': expected } });
    expect(shown(span)).not.toContain(S);
  });

  it.each([
    '/webhooks/stripe',
    '/webhooks/stripe/events/42',
    '/hooks/on-create',
    '/services/42/bookings',
    '/robots.txt',
    '/bot/status',
    '/bots/123',
    '/users/me@example.com',
    '/orders/550e8400-e29b-41d4-a716-446655440000',
  ])('are none in %s', (path) => {
    const attributes = { 'url.path': path, 'server.address': 'shop', 'url.full': `https://shop${path}` };
    const span = redacting.exported(`GET ${path.replace(/@.*/, '')}`, attributes, undefined, SpanKind.SERVER);
    expect(span.attributes).toMatchObject(attributes);
    expect(span.name).toBe(`GET ${path.replace(/@.*/, '')}`);
    expect(withoutCredentials(`GET ${path}`)).toBe(`GET ${path}`);
  });
});
