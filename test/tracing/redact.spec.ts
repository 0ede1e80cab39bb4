import { describe, expect, it } from '@jest/globals';
import type { Attributes } from '@opentelemetry/api';
import { redact } from '../../lib/spans/redact.js';
import type { SdkSpan } from '../../lib/spans/sdk-span.js';
import { StatementCache } from '../../lib/spans/statement.js';

function redacted(attributes: Attributes): Attributes {
  const span = {
    attributes,
    setAttribute: (key: string, value: string) => {
      attributes[key] = value;
    },
  };
  redact(span as unknown as SdkSpan, new StatementCache());
  return attributes;
}

describe('redact', () => {
  it.each<[Attributes, Attributes]>([
    [{ 'db.query.text': 'SELECT 5' }, { 'db.query.text': 'select ?' }],
    [{ 'db.system': 'mongodb', 'db.statement': '{"name":"alice"}' }, { 'db.statement': '?' }],
    [{ 'db.system': 'mongodb', 'db.statement': 'find alice' }, { 'db.statement': '?' }],
    [{ 'db.system.name': 'mongodb', 'db.query.text': '{"age":41}' }, { 'db.query.text': '?' }],
    [{ 'db.system': 'redis', 'db.statement': 'SET user:alice 41' }, { 'db.statement': 'SET ?' }],
    [{ 'db.system': 'elasticsearch', 'db.statement': '{"q":"alice"}' }, { 'db.statement': '?' }],
    [{ 'url.full': 'https://u:p@ss@host/a/b?c=d#e' }, { 'url.full': 'https://host/a/b' }],
    [{ 'http.url': 'https://u:p@host' }, { 'http.url': 'https://host' }],
    [{ 'url.query': 'a=alice' }, { 'url.query': '?' }],
  ])('removes the values from %j', (attributes, expected) => {
    expect(redacted({ ...attributes })).toMatchObject(expected);
  });

  it.each<[Attributes]>([
    [{ 'db.system': 'mongodb', 'db.statement': '{"name":"?","tags":{"$in":["?"]}}' }],
    [{ 'url.full': 'https://host/mail/me@example.com' }],
    [{ 'http.target': '/a/b' }],
    [{ 'db.system.name': 'redis', 'db.query.text': 'PING' }],
    [{ 'url.query': '' }],
    [{ 'db.query.text': 'select * from t where a = ?' }],
  ])('does not change %j', (attributes) => {
    expect(redacted({ ...attributes })).toEqual(attributes);
  });
});
