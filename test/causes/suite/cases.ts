/** The closed list of causes. */
export type Cause =
  | 'n_plus_one'
  | 'sequential_calls'
  | 'database'
  | 'cache'
  | 'external'
  | 'messaging'
  | 'rpc'
  | 'connection_pool'
  | 'cpu'
  | 'event_loop_blocked'
  | 'gc'
  | 'waiting'
  | 'unknown';
export type FindingType = 'n_plus_one' | 'duplicate_queries' | 'sequential_calls' | 'event_loop_block';

/** Requests with a built-in cause. */
export interface Case {
  /** The path of its route without the leading slash. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** A control is healthy, or slow by design: it must have no finding. */
  readonly kind: 'pathology' | 'control';
  /** The expected first cause. Without it, the request need not be slow. */
  readonly cause?: Cause;
  /** The expected finding of the route. */
  readonly finding?: FindingType;
  /** The expected method of the call site, if it has a name. Its line is marked with the name of the case. */
  readonly site?: string;
  /** A text that the explanation must contain. */
  readonly says?: RegExp;
  /** Companions that prepare the case, in this order. */
  readonly before?: readonly string[];
  /** A concurrent request that starts before. */
  readonly beside?: string;
  /** The number of requests, and how many of them in parallel; the slowest is judged. */
  readonly requests?: number;
  readonly concurrency?: number;
  readonly query?: (n: number) => string;
  /** With another process that consumes CPU time. */
  readonly burner?: boolean;
  /** Sent to an application that has just started. */
  readonly fresh?: boolean;
}

type Details = Partial<Omit<Case, 'name' | 'method' | 'kind' | 'cause'>>;

function split(route: string): Pick<Case, 'name' | 'method'> {
  const [method, path = ''] = route.split(' ');
  return { method: method === 'POST' ? 'POST' : 'GET', name: path.slice(1) };
}

const slow = (cause: Cause, route: string, details: Details = {}): Case => ({
  ...split(route),
  ...details,
  kind: 'pathology',
  cause,
});
const nPlusOne = (route: string, site: string, finding: FindingType = 'n_plus_one'): Case =>
  slow('n_plus_one', route, { site, finding });
const control = (route: string, details: Details & { cause?: Cause } = {}): Case => ({
  ...split(route),
  ...details,
  kind: 'control',
});

const BLOCKER = { beside: 'POST /event-loop/report', finding: 'event_loop_block' } as const;

export const CASES: readonly Case[] = [
  nPlusOne('GET /n-plus-one/orm-lazy', 'CatalogReader.withReviews'),
  nPlusOne('GET /n-plus-one/raw-loop', 'CatalogReader.titlesOf'),
  nPlusOne('GET /n-plus-one/near-loop', 'CatalogReader.nearTitlesOf'),
  nPlusOne('GET /n-plus-one/parallel', 'CatalogReader.findOne'),
  nPlusOne('GET /n-plus-one/interleaved', 'CatalogReader.cards'),
  nPlusOne('GET /n-plus-one/dataloader', 'AuthorLoader.(load|namesOf)'),
  nPlusOne('GET /n-plus-one/literals', 'PriceService.priceOf'),
  nPlusOne('GET /n-plus-one/http', 'ProfileClient.profileOf'),
  nPlusOne('GET /n-plus-one/duplicates', 'SettingsService.get', 'duplicate_queries'),
  nPlusOne('POST /n-plus-one/insert-loop', 'AuditWriter.writeAll'),
  // The function of the transaction has no name.
  nPlusOne('POST /n-plus-one/save-loop', ''),

  slow('database', 'GET /slow-parts/database-sleep', { site: 'ReportService.slept' }),
  slow('database', 'GET /slow-parts/database-work', { site: 'ReportService.ranked' }),
  slow('database', 'GET /slow-parts/database-among-others', { site: 'ReportService.slowAmongQuick' }),
  slow('database', 'POST /slow-parts/database-lock', { site: 'ReportService.locked', before: ['lock'] }),
  slow('cache', 'GET /slow-parts/cache-get', { site: 'ShippingService.cached' }),
  slow('cache', 'GET /slow-parts/cache-pipeline', { site: 'ShippingService.cachedMany' }),
  slow('external', 'GET /slow-parts/external-fetch'),
  slow('external', 'GET /slow-parts/external-http', { site: '' }),
  slow('external', 'GET /slow-parts/external-body'),
  slow('rpc', 'GET /slow-parts/rpc-unary'),
  slow('rpc', 'GET /slow-parts/rpc-stream'),
  slow('messaging', 'POST /slow-parts/messaging'),

  // A profile has the names of functions and not of classes.
  slow('cpu', 'GET /cpu/loop', { site: 'similarities|similarity' }),
  slow('cpu', 'GET /cpu/slices', { site: 'scoreSlice|similarity' }),
  slow('cpu', 'GET /cpu/after-query', { site: 'rank|weight|similarity' }),
  slow('cpu', 'POST /cpu/pbkdf2', { site: 'sign' }),
  slow('cpu', 'GET /cpu/json', { site: 'serialize' }),
  slow('cpu', 'GET /cpu/regex', { site: 'isValid' }),
  slow('gc', 'GET /cpu/gc-copies', { site: 'copies' }),
  slow('gc', 'GET /cpu/gc-snapshots', { site: 'snapshots' }),

  slow('event_loop_blocked', 'GET /event-loop/timer', { ...BLOCKER, says: /POST \/event-loop\/report/ }),
  slow('event_loop_blocked', 'GET /event-loop/query', { ...BLOCKER, says: /POST \/event-loop\/report/ }),
  slow('event_loop_blocked', 'GET /event-loop/fetch', { ...BLOCKER, says: /POST \/event-loop\/report/ }),
  slow('event_loop_blocked', 'GET /event-loop/job', { finding: 'event_loop_block', says: /sign-invoices/ }),

  slow('connection_pool', 'GET /pool/raw', { before: ['pool'] }),
  slow('connection_pool', 'GET /pool/typeorm', { before: ['typeorm-pool'] }),
  slow('connection_pool', 'GET /pool/burst', { requests: 20, concurrency: 20 }),
  slow('connection_pool', 'POST /pool/kept', { requests: 20, concurrency: 20 }),

  slow('waiting', 'GET /waiting/timer'),
  slow('waiting', 'GET /waiting/mutex', { before: ['mutex'] }),
  slow('waiting', 'GET /waiting/socket'),
  slow('waiting', 'GET /waiting/process'),

  slow('sequential_calls', 'GET /sequential/fetches', { finding: 'sequential_calls' }),
  slow('sequential_calls', 'GET /sequential/queries', { finding: 'sequential_calls' }),
  slow('sequential_calls', 'GET /sequential/mixed', { finding: 'sequential_calls' }),

  control('GET /controls/in-list'),
  control('POST /controls/batch-insert'),
  control('GET /controls/dataloader'),
  control('GET /controls/joined'),
  control('GET /controls/chunks'),
  control('GET /controls/keyset'),
  control('GET /controls/page', { requests: 20, query: (n) => `?page=${n}` }),
  control('GET /controls/a-few'),
  control('POST /controls/transaction'),
  control('GET /controls/polling', { cause: 'waiting' }),
  control('GET /controls/health'),
  control('GET /controls/waterfall', { cause: 'database' }),
  control('GET /controls/retries', { cause: 'waiting' }),
  control('GET /controls/fan-out', { cause: 'external' }),
  control('GET /controls/call-waterfall', { cause: 'external' }),
  control('GET /controls/cache-many'),
  control('GET /controls/cache-loop'),
  control('GET /controls/stream'),
  control('GET /controls/light', { requests: 50, concurrency: 50 }),
  control('GET /controls/light?beside=job', { before: ['job'] }),
  control('GET /controls/light?beside=untracked-job', { before: ['untracked-job'] }),
  control('GET /controls/light?beside=neighbour', {
    requests: 10,
    concurrency: 2,
    beside: 'GET /controls/neighbour',
  }),
  control('GET /controls/light?beside=process', { requests: 20, concurrency: 4, burner: true }),
  control('GET /controls/light?warm-up', { requests: 10, concurrency: 5, fresh: true }),
];
