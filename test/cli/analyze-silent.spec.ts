import { describe, expect, it } from '@jest/globals';
import { analyzed } from './support/analyzing.js';
import { otlpOf, Recording } from './support/recording.js';

const BY_ID = 'SELECT * FROM track WHERE album_id = $1';

/** A request with this many queries for one row each. */
function nPlusOne(copies = 12, service = 'music'): Recording {
  const recording = new Recording(service);
  const request = recording.request();
  for (let copy = 0; copy < copies; copy++) recording.query(request, BY_ID);
  return recording;
}

describe('analyze reports nothing', () => {
  const silent: Record<string, (recording: Recording) => void> = {
    'about an IN list': (recording) => {
      recording.query(
        recording.request(),
        'SELECT * FROM track WHERE album_id IN (1, 2, 3, 4, 5, 6, 7, 8)',
        200,
      );
    },
    'about fewer copies than the limit': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 4; copy++) recording.query(request, BY_ID, 50);
    },
    'about copies that are quick': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 12; copy++) recording.query(request, BY_ID, 2);
    },
    'about what was tried again after an error': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 8; copy++)
        recording.query(request, BY_ID, 20, { status: { code: copy < 7 ? 2 : 0 } });
    },
    'about a poll': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 8; copy++) {
        recording.query(request, 'SELECT state FROM job WHERE id = $1');
        recording.now += 100;
      }
    },
    'about a poll by literals': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 8; copy++) {
        recording.query(request, 'SELECT state FROM job WHERE id = 5');
        recording.now += 50;
      }
    },
    'about transactions and pings': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 8; copy++)
        for (const text of ['BEGIN', 'SELECT 1', 'COMMIT']) recording.query(request, text);
    },
    'about reads one after the other within a transaction': (recording) => {
      const request = recording.request();
      recording.query(request, 'BEGIN', 1);
      for (const table of ['a', 'b', 'c', 'd']) recording.query(request, `SELECT * FROM ${table}`, 30);
      recording.query(request, 'COMMIT', 1);
    },
    'about reads each made with values that are not seen': (recording) => {
      const request = recording.request();
      for (const table of ['a', 'b', 'c', 'd'])
        recording.query(request, `SELECT * FROM ${table} WHERE id = $1`, 30);
    },
    'about reads that ran side by side': (recording) => {
      const request = recording.request();
      for (const table of ['a', 'b', 'c', 'd']) {
        recording.query(request, `SELECT * FROM ${table}`, 30);
        recording.now = 0;
      }
    },
    'about pages of an outgoing call, the first of which has no cursor': (recording) => {
      const request = recording.request();
      for (let page = 0; page < 8; page++)
        recording.work(request, 20, {
          'http.request.method': 'GET',
          'url.full': `http://api/items${page === 0 ? '' : `?cursor=c${page}`}`,
        });
    },
    'about inserts of several rows each': (recording) => {
      const request = recording.request();
      for (let chunk = 0; chunk < 8; chunk++)
        recording.query(request, 'INSERT INTO track (a, b) VALUES ($1, $2), ($3, $4)', 20);
    },
    'about a cursor': (recording) => {
      const request = recording.request();
      for (let batch = 0; batch < 8; batch++) recording.query(request, 'FETCH 100 FROM c', 20);
    },
    "about MongoDB's cursor": (recording) => {
      const request = recording.request();
      for (let batch = 0; batch < 8; batch++)
        recording.work(request, 20, {
          'db.system': 'mongodb',
          'db.operation': 'getMore',
          'db.mongodb.collection': 'tracks',
        });
    },
    'about a cache that is asked often': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 50; copy++)
        recording.work(request, 5, {
          'db.system': 'redis',
          'db.statement': 'GET key',
          'db.operation': 'GET',
        });
    },
    'about messages sent one by one': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 50; copy++)
        recording.work(request, 5, {
          'messaging.system': 'kafka',
          'messaging.operation': 'publish',
          'messaging.destination.name': 'x',
        });
    },
    'about a job that nobody waits for': (recording) => {
      recording.query(recording.request(), BY_ID);
      const job = recording.span('nightly', 0, 5000);
      for (let copy = 0; copy < 50; copy++) recording.query(job, BY_ID);
    },
    'about what goes on after the response': (recording) => {
      const request = recording.request('/albums', 25);
      for (let copy = 0; copy < 12; copy++) recording.query(request, BY_ID);
    },
    'about many different statements': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 12; copy++)
        recording.query(request, `SELECT * FROM t${'abcdefghijkl'[copy]} WHERE id = $1`);
    },
    'about connections that a pool hands out': (recording) => {
      const request = recording.request();
      for (let copy = 0; copy < 12; copy++)
        recording.work(request, 10, { 'db.system': 'postgresql' }, { name: 'pg-pool.connect' });
    },
  };

  it.each(Object.entries(silent))('%s', async (_, record) => {
    const recording = new Recording();
    record(recording);
    expect(await analyzed([recording.otlp])).toEqual([]);
  });

  it('for pages that are separate requests', async () => {
    const pages = Array.from({ length: 12 }, () => {
      const page = new Recording();
      page.query(page.request(), 'SELECT * FROM track LIMIT $1 OFFSET $2', 100);
      return page.otlp;
    });
    expect(await analyzed(pages)).toEqual([]);
  });

  it('for two services of a trace with three copies each', async () => {
    const first = nPlusOne(3, 'music');
    const second = nPlusOne(3, 'stock').spans.map((span) => ({ ...span, traceId: first.traceId }));
    expect(await analyzed([first.otlp, otlpOf(second, 'stock')])).toEqual([]);
  });

  it('for two requests of one service within a trace', async () => {
    const first = nPlusOne(3);
    const second = nPlusOne(3).spans.map((span) => ({ ...span, traceId: first.traceId }));
    expect(await analyzed([first.otlp, otlpOf(second, 'music')])).toEqual([]);
  });
});
