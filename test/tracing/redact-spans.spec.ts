import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Attributes, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { LEAK, PLANTED } from '../literals/planted-statements.js';

const S = 'zqxsecret';

describe('a redacted span', () => {
  let monitor: PerformanceMonitor;
  let provider: NodeTracerProvider;
  let exporter: InMemorySpanExporter;
  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    monitor = new PerformanceMonitor({ alerts: { enabled: false }, databaseThresholdMs: 0 });
    provider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter), new SlowSpanProcessor(monitor).withRedaction()],
    });
  });
  afterEach(async () => {
    await provider.shutdown();
    monitor.shutdown();
  });

  const exported = (
    name: string,
    attributes: Attributes,
    use: (span: Span) => void = () => {},
    kind = SpanKind.CLIENT,
  ): ReadableSpan => {
    const span = provider.getTracer('test').startSpan(name, { kind, attributes });
    use(span);
    span.end();
    return exporter.getFinishedSpans().at(-1) as ReadableSpan;
  };
  const shown = ({ name, attributes, status, events, links }: ReadableSpan): string =>
    JSON.stringify({ name, attributes, status, events, links });

  it.each<[string, Attributes, Attributes]>([
    [
      'parameters',
      { 'db.query.parameter.0': S, 'db.query.parameter.id': 77007 },
      { 'db.query.parameter.0': '?', 'db.query.parameter.id': '?' },
    ],
    ['operation parameters', { 'db.operation.parameter.key': S }, { 'db.operation.parameter.key': '?' }],
    ['values of Postgres', { 'db.postgresql.values': [S, S] }, { 'db.postgresql.values': ['?'] }],
    [
      'request headers',
      { 'http.request.header.authorization': [`Bearer ${S}`] },
      { 'http.request.header.authorization': ['?'] },
    ],
    [
      'response headers',
      { 'http.response.header.set_cookie': [S] },
      { 'http.response.header.set_cookie': ['?'] },
    ],
    ['the user agent', { 'user_agent.original': S }, { 'user_agent.original': '?' }],
    ['metadata', { 'rpc.grpc.request.metadata.token': [S] }, { 'rpc.grpc.request.metadata.token': ['?'] }],
    [
      'bodies',
      { 'http.request.body': S, 'messaging.message.body': S, 'http.request.body.size': 5 },
      { 'http.request.body': '?', 'http.request.body.size': 5 },
    ],
    ['message headers', { 'messaging.header.auth': [S] }, { 'messaging.header.auth': ['?'] }],
    ['message keys', { 'messaging.kafka.message.key': S }, { 'messaging.kafka.message.key': '?' }],
    ['variables of GraphQL', { 'graphql.variables.email': S }, { 'graphql.variables.email': '?' }],
    [
      'documents of GraphQL',
      { 'graphql.source': `{ user(email: "${S}", kind: ${S}) { id } }` },
      { 'graphql.source': '{ user(email: ?, kind: ?) { id } }' },
    ],
    ['paths', { 'url.path': `//u:${S}@host/a;s=${S}?b=${S}#${S}` }, { 'url.path': '//host/a;s=?' }],
    [
      'addresses',
      { 'url.full': `https://u:${S}/x@host/a?${S}`, 'http.target': `/a#${S}` },
      { 'url.full': 'https://host/a', 'http.target': '/a' },
    ],
    [
      'secret paths',
      { 'url.full': `https://hooks.slack.com/services/${S}` },
      { 'url.full': 'https://hooks.slack.com/?' },
    ],
    [
      'connections',
      { 'db.connection_string': `Server=h;Database=d;User Id=${S};Password=${S}` },
      { 'db.connection_string': 'Server=h;Database=d;User Id=?;Password=?' },
    ],
    [
      'connection addresses',
      { 'db.connection_string': `jdbc:mysql://u:${S}@h:1/d?password=${S}` },
      { 'db.connection_string': 'jdbc:mysql://h:1/d' },
    ],
    [
      'forwarded addresses that are none',
      { 'client.address': S, 'http.client_ip': '10.0.0.1' },
      { 'client.address': '?', 'http.client_ip': '10.0.0.1' },
    ],
    [
      'secrets by their names',
      { 'app.api_key': S, 'user.password': S },
      { 'app.api_key': '?', 'user.password': '?' },
    ],
    [
      'addresses in other attributes',
      { 'app.note': `see redis://u:${S}@h:1/0` },
      { 'app.note': 'see redis://h:1/0' },
    ],
    [
      'errors in attributes',
      { 'exception.message': `Key (email)=(${S}) already exists` },
      { 'exception.message': 'Key (?) already exists' },
    ],
  ])('contains no values in %s', (_what, attributes, expected) => {
    const span = exported('call', attributes);
    expect(span.attributes).toMatchObject(expected);
    expect(shown(span)).not.toMatch(LEAK);
  });

  it.each<[string, string, Attributes, string]>([
    [
      'by its statement',
      `SELECT * FROM users WHERE email = '${S}'`,
      { 'db.system.name': 'postgresql', 'db.query.text': `SELECT * FROM users WHERE email = '${S}'` },
      'SELECT users',
    ],
    ['by a command', `SET user:1 ${S}`, { 'db.system': 'redis', 'db.statement': `SET user:1 ${S}` }, 'SET'],
    ['by an address', `GET https://u:${S}@host/a?b=${S}`, {}, 'GET https://host/a'],
    ['by a path', `GET /a?b=${S}`, {}, 'GET /a'],
    ['by a document', `query { user(email: "${S}") { id } }`, {}, 'query { user(email: ?) { id } }'],
  ])('named %s has another name', (_how, name, attributes, expected) => {
    const span = exported(name, attributes);
    expect(span.name).toBe(expected);
    expect(shown(span)).not.toMatch(LEAK);
  });

  it.each<[string, Attributes]>([
    ['pg.query:SELECT app', { 'db.system.name': 'postgresql', 'db.namespace': 'app' }],
    [
      'SELECT app.users',
      { 'db.system.name': 'mysql', 'db.namespace': 'app', 'db.query.text': 'SELECT 1 FROM users' },
    ],
    ['mongodb.find', { 'db.system': 'mongodb' }],
    ['GET /users/:id?', { 'http.route': '/users/:id?' }],
    ['GET /users/:id', { 'http.route': '/users/:id' }],
    ['Order.place', {}],
    ['redis-GET', { 'db.system': 'redis' }],
    ['GET localhost:6379', { 'db.system': 'redis', 'server.address': 'localhost', 'server.port': 6379 }],
  ])('named %s keeps its name', (name, attributes) => {
    expect(exported(name, attributes).name).toBe(name);
  });

  it('keeps attributes without values', () => {
    const attributes = {
      'http.request.method': 'GET',
      'http.route': '/a/:b?',
      'url.path': '/a/me@example.com',
      'server.address': 'db.internal',
      'db.namespace': 'app',
      'app.tier': 'gold',
      'app.counts': [1, 2],
      'error.type': 'ECONNREFUSED',
    };
    expect(exported('call', { ...attributes }).attributes).toMatchObject(attributes);
  });

  it.each([
    [
      `duplicate key value violates unique constraint "users_email_key"`,
      'duplicate key value violates unique constraint "users_email_key"',
    ],
    [`invalid input syntax for type integer: "${S}"`, 'invalid input syntax for type integer: ?'],
    [`Duplicate entry '${S}' for key 'users.email'`, "Duplicate entry ? for key 'users.email'"],
    [`Duplicate entry 'O'${S}' b' for key 'users.email'`, "Duplicate entry ? for key 'users.email'"],
    [`UNIQUE constraint failed: users.email`, 'UNIQUE constraint failed: users.email'],
    [`no such column: ${S}`, 'no such column: ?'],
    [
      `E11000 duplicate key error collection: app.users index: email_1 dup key: { email: "${S}" }`,
      'E11000 duplicate key error collection: app.users index: email_1 dup key: {?}',
    ],
    [`connect ECONNREFUSED redis://u:${S}@h:6379`, 'connect ECONNREFUSED redis://h:6379'],
    [`Request failed with status code 404`, 'Request failed with status code 404'],
    [`Unexpected token 'z', "${S}" is not valid JSON`, 'Unexpected token ? is not valid JSON'],
    [`card ${S} of ${S}@example.com was declined`, '? of ? was ?'],
    [`The first line\nDETAIL: Failing row contains (1, ${S}).`, 'The first line'],
  ])('shows of the error %j only %j', (message, expected) => {
    const span = exported('call', {}, (live) => {
      live.setStatus({ code: SpanStatusCode.ERROR, message });
      live.recordException(new TypeError(message));
    });
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: expected });
    const { attributes } = span.events[0] as { attributes: Attributes };
    expect(attributes).toMatchObject({ 'exception.type': 'TypeError', 'exception.message': expected });
    const [head, ...frames] = String(attributes['exception.stacktrace']).split('\n');
    expect(head).toBe(`TypeError: ${expected}`);
    expect(frames.length).toBeGreaterThan(3);
    expect(frames.every((frame) => /^ +at .*\d|<anonymous>\)$/.test(frame))).toBe(true);
    expect(shown(span)).not.toMatch(LEAK);
  });

  it('shows no line of a message that looks like a frame', () => {
    const span = exported('call', {}, (live) =>
      live.recordException(new Error(`broken\n    at ${S} (${S}.js:1:2)\n    at ${S}:1:2`)),
    );
    expect(shown(span)).not.toMatch(LEAK);
    expect(shown(span)).toContain('redact-spans.spec');
  });

  it('contains no value in its events and links', () => {
    const span = exported('call', {}, (live) => {
      live.addEvent(`Key (email)=(${S}) already exists`, {
        'db.statement': `SELECT '${S}'`,
        'app.note': 'fine',
      });
      live.addLink({ context: live.spanContext(), attributes: { 'http.url': `http://u:${S}@h/?${S}` } });
    });
    expect(span.events[0]).toMatchObject({
      name: 'Key (?) already exists',
      attributes: { 'db.statement': 'select ?', 'app.note': 'fine' },
    });
    expect(span.links[0]?.attributes).toEqual({ 'http.url': 'http://h/' });
    expect(shown(span)).not.toMatch(LEAK);
  });

  it('does not change the objects of the application', () => {
    const attributes = { 'http.request.header.authorization': [S] };
    const event = { 'exception.message': S };
    const link = { 'url.full': `http://u:${S}@h/` };
    const error = new Error(S);
    exported('call', attributes, (live) => {
      live.addEvent('event', event);
      live.addLink({ context: live.spanContext(), attributes: link });
      live.recordException(error);
    });
    expect([attributes, event, link, error.message]).toEqual([
      { 'http.request.header.authorization': [S] },
      { 'exception.message': S },
      { 'url.full': `http://u:${S}@h/` },
      S,
    ]);
  });

  it('does not let a statement pass into anything that is kept, shown or exported', () => {
    for (const { system, text } of PLANTED)
      for (const attributes of [
        { 'db.system.name': system, 'db.query.text': text },
        { 'db.system': system, 'db.statement': text },
        { 'db.statement': text },
      ])
        expect(shown(exported(text, attributes))).not.toMatch(LEAK);
    const kept = [
      monitor.getStats({ operations: 1000 }),
      monitor.getSlowOperations(),
      monitor.getFindings(),
      monitor.getReport(),
    ];
    expect(monitor.getStats().totalOperations).toBe(3 * PLANTED.length);
    expect(JSON.stringify(kept)).not.toMatch(LEAK);
  });

  it.each([
    ['SET', `SET user:1 ${S}`],
    ['AUTH', `AUTH default ${S}`],
    ['HELLO', `HELLO 3 AUTH default ${S}`],
    ['CONFIG', `CONFIG SET requirepass ${S}`],
    ['EVAL', `EVAL "return '${S}'" 0`],
    ['?', `"${S}" x`],
  ])('shows of a command of Redis only %s', (command, text) => {
    const span = exported('redis', { 'db.system': 'redis', 'db.statement': text });
    expect(span.attributes['db.statement']).toBe(`${command} ?`);
    // The system is not always stated.
    expect(shown(exported('redis', { 'db.statement': text }))).not.toMatch(LEAK);
  });
});
