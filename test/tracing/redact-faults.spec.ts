import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api';
import { LiveSpan } from '../../lib/spans/live-span.js';
import type { SdkSpan } from '../../lib/spans/sdk-span.js';
import { knownStatements } from '../../lib/spans/statement.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { Redacting, shown } from '../support/redacting.js';

const S = 'zqxsecret';
const TEXT = `SELECT * FROM users WHERE email = '${S}'`;

describe('a fault while a span is redacted', () => {
  let redacting: Redacting;
  beforeEach(() => {
    redacting = new Redacting();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await redacting.shutdown();
  });

  const fail = (): void => {
    jest.spyOn(knownStatements, 'get').mockImplementation(() => {
      throw new Error('a bug');
    });
  };

  it.each<[string, string, Attributes, (span: Span) => void]>([
    [
      'while it is described',
      TEXT,
      {},
      (span) => {
        fail();
        span.setAttributes({ 'db.system.name': 'mysql', 'db.query.text': TEXT });
      },
    ],
    [
      'of its statement',
      'query',
      { 'db.query.text': TEXT, 'app.note': `token=${S}`, 'app.counts': [1] },
      fail,
    ],
    ['of its name', `find "${S}"`, {}, () => jest.spyOn(String.prototype, 'match').mockImplementation(fault)],
    [
      'of the attributes of an event',
      'query',
      {},
      (span) => {
        span.addEvent(`found "${S}"`, { 'db.statement': TEXT });
        span.addLink({ context: span.spanContext(), attributes: { 'db.statement': TEXT } });
        span.setStatus({ code: SpanStatusCode.ERROR, message: S });
        fail();
      },
    ],
    [
      'of its end',
      `GET /a?b=${S}`,
      { 'app.note': `token=${S}` },
      () => jest.spyOn(LiveSpan.prototype, 'end').mockImplementation(fault),
    ],
  ])('%s exports no value of it', (_what, name, attributes, use) => {
    const kept = { 'http.request.method': 'GET', 'server.port': 80 };
    const span = redacting.exported(name, { ...kept, ...attributes }, use);
    jest.restoreAllMocks();
    expect(shown(span)).not.toContain(S);
    expect(span.attributes).toMatchObject(kept);
    // What follows is redacted as before.
    expect(redacting.exported(`GET /a?b=${S}`, { 'db.query.text': TEXT }).attributes).toMatchObject({
      'db.query.text': 'select * from users where email = ?',
    });
  });

  it('hides all that it can of a span that refuses changes', () => {
    const span = {
      kind: 2,
      name: `find "${S}"`,
      attributes: { 'app.note': S, 'db.statement': TEXT },
      status: { code: 2, message: S },
      events: [{ name: S, attributes: Object.freeze({ 'app.note': S }) }, { name: S }],
      links: [{ attributes: { 'app.note': S } }],
      updateName: fault,
      setStatus: fault,
    };
    new SlowSpanProcessor(redacting.monitor).withRedaction().onEnding(span as unknown as SdkSpan);
    expect(span).toMatchObject({
      name: '?',
      attributes: { 'app.note': '?', 'db.statement': '?' },
      status: { code: 2, message: '?' },
      events: [{ name: '?', attributes: {} }, { name: '?' }],
      links: [{ attributes: { 'app.note': '?' } }],
    });
    expect(JSON.stringify(span)).not.toContain(S);
  });
});

function fault(): never {
  throw new Error('a bug');
}
