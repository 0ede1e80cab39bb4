import { describe, expect, it } from '@jest/globals';
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { describeSpan } from '../../lib/spans/span-description.js';
import { StatementCache } from '../../lib/spans/statement.js';

const { CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER } = SpanKind;

describe('a span', () => {
  it.each<[string, SpanKind, Attributes, string, string]>([
    ['GET', SERVER, { 'http.request.method': 'GET', 'http.route': '/users/:id' }, 'http', 'GET /users/:id'],
    ['GET', SERVER, { 'http.method': 'GET', 'http.route': '/users/:id' }, 'http', 'GET /users/:id'],
    [
      'GET /users/5',
      SERVER,
      { 'http.request.method': 'GET', 'url.path': '/users/5' },
      'http',
      'GET (unmatched)',
    ],
    ['X', SERVER, { 'http.request.method': 'STRANGE' }, 'http', 'HTTP (unmatched)'],
    [
      'GET',
      CLIENT,
      { 'http.request.method': 'GET', 'server.address': 'api.example' },
      'external',
      'GET api.example',
    ],
    ['GET', CLIENT, { 'http.method': 'GET', 'net.peer.name': 'api.example' }, 'external', 'GET api.example'],
    [
      'pg.query',
      CLIENT,
      { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1 FROM a' },
      'database',
      'SELECT a',
    ],
    [
      'pg.query',
      CLIENT,
      { 'db.system': 'postgresql', 'db.statement': 'SELECT 1 FROM a' },
      'database',
      'SELECT a',
    ],
    ['pg.query:SELECT store', CLIENT, { 'db.system': 'postgresql' }, 'database', 'pg.query:SELECT'],
    [
      'find',
      CLIENT,
      { 'db.system.name': 'mongodb', 'db.operation.name': 'find', 'db.collection.name': 'users' },
      'database',
      'find users',
    ],
    ['GET', CLIENT, { 'db.system.name': 'redis', 'db.operation.name': 'GET' }, 'cache', 'GET'],
    ['redis-get', CLIENT, { 'db.system': 'redis', 'db.statement': 'get user:5' }, 'cache', 'redis-get'],
    ['get', CLIENT, { 'db.system': 'memcached', 'db.operation': 'get' }, 'cache', 'GET'],
    [
      'orders publish',
      PRODUCER,
      {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'publish',
        'messaging.destination.name': 'orders',
      },
      'messaging',
      'publish orders',
    ],
    ['process', CONSUMER, {}, 'messaging', 'process'],
    [
      'grpc',
      CLIENT,
      { 'rpc.system': 'grpc', 'rpc.service': 'Store', 'rpc.method': 'Buy' },
      'rpc',
      'Store/Buy',
    ],
    [
      'grpc',
      SERVER,
      { 'rpc.system.name': 'grpc', 'rpc.service': 'Store', 'rpc.method': 'Buy' },
      'rpc',
      'Store/Buy',
    ],
    ['Mailer.send', CLIENT, { 'performance.operation.type': 'external' }, 'external', 'Mailer.send'],
    ['GET', CLIENT, { 'http.request.method': 'GET' }, 'external', 'GET (unknown host)'],
    ['call', CLIENT, { 'server.address': 'api' }, 'external', 'HTTP api'],
    [
      'search',
      CLIENT,
      { 'db.system': 'elasticsearch', 'db.statement': '{"query":"alice"}', 'db.operation': 'search' },
      'database',
      'search',
    ],
    ['compute', INTERNAL, {}, 'internal', 'compute'],
    ['compute', CLIENT, {}, 'internal', 'compute'],
    ['compute', INTERNAL, { 'performance.operation.type': 'calculation' }, 'calculation', 'compute'],
    ['pool', INTERNAL, { 'db.system.name': 'postgresql' }, 'database', 'pool'],
  ])('%j of kind %d with %j is %s, named %s', (name, kind, attributes, type, expected) => {
    const span = { name, kind, attributes };
    expect(describeSpan(span, new StatementCache())).toMatchObject({ type, name: expected });
  });
});
