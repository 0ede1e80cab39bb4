/**
 * Sends simulated requests to the store. A separate process, as the store would measure them as its outgoing calls.
 */
const [base = '', seconds = '60', perSecond = '12'] = process.argv.slice(2);

/** The simulated requests and their relative frequency. */
const VISITS: [weight: number, method: string, path: (n: number) => string][] = [
  [30, 'GET', (n) => `/albums?page=${n % 20}`],
  [32, 'GET', (n) => `/albums/${1 + (n % 40)}`],
  [8, 'GET', (n) => `/albums/with-tracks?page=${n % 20}`],
  [4, 'GET', (n) => `/tracks/search?q=${(n % 16).toString(16)}`],
  [10, 'GET', (n) => `/recommendations/${1 + (n % 1000)}`],
  [3, 'POST', () => '/checkout'],
  [2, 'GET', () => '/reports/sold-together'],
  [5, 'GET', () => '/leak/visit'],
  [2, 'GET', () => '/admin'],
  [2, 'GET', (n) => `/no/such/page/${n}`],
  [2, 'GET', () => '/health'],
];

const plan = VISITS.flatMap(([weight, method, path]) =>
  Array.from({ length: weight }, () => ({ method, path })),
);
let sent = 0;

const timer = setInterval(() => {
  if (sent >= Number(perSecond) * Number(seconds)) {
    clearInterval(timer);
    process.send?.('done');
    return;
  }
  const n = sent++;
  // A stride that is coprime to the length of the plan visits every entry, well mixed.
  const visit = plan[(n * 37) % plan.length];
  if (visit === undefined) return;
  const body =
    visit.method === 'POST' ? JSON.stringify({ customerId: n % 1000, albumId: 1 + (n % 1500) }) : undefined;
  fetch(base + visit.path(n), { method: visit.method, body, headers: { 'content-type': 'application/json' } })
    .then((response) => response.arrayBuffer())
    .catch(() => {});
}, 1000 / Number(perSecond));
process.once('disconnect', () => process.exit());
