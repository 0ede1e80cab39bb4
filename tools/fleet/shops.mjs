// Instances of the sample application with its simulated traffic.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './deploy-files.mjs';

const MAIN = join(ROOT, 'sample-app/dist/main.js');
const BALLAST = fileURLToPath(new URL('ballast.cjs', import.meta.url));
/** A start includes that of a Postgres. */
const READY_MS = 180_000;
const PER_SECOND = '3';
const FAILING_MS = 2000;

export const JOB = 'music-store';

/**
 * Starts one instance, which sends its traffic to itself.
 * @param {Record<string, string>} env
 * @param {{ heavy?: boolean, seconds: number, token: string }} options `heavy`: with more than 500 MB in its heap
 */
export async function startShop(run, name, env, { heavy = false, seconds, token }) {
  const folder = run.folderOf(name);
  const process_ = await run.start(name, process.execPath, [...(heavy ? ['--require', BALLAST] : []), MAIN], {
    cwd: folder,
    env: {
      ...withoutTelemetry(process.env),
      PORT: '0',
      TMPDIR: folder,
      NO_COLOR: '1',
      TRAFFIC_SECONDS: String(seconds),
      // A few instances share a small machine.
      TRAFFIC_PER_SECOND: PER_SECOND,
      PERFORMANCE_TOKEN: token,
      OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${name}`,
      ...env,
    },
    ready: async ({ log }) => /runs at http:\S+/.test(log()),
    readyMs: READY_MS,
  });
  const url = /runs at (http:\S+)/.exec(process_.log())[1].replace('localhost', '127.0.0.1');
  return {
    name,
    process: process_,
    url,
    address: new URL(url).host,
    /** JSON of a path below /performance. */
    async ask(path) {
      const response = await fetch(`${url}/performance/${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!response.ok) throw new Error(`${name} answered ${response.status} to ${path}`);
      return response.json();
    },
    /** Sends requests that fail with 500, until the run ends or the returned function is called. */
    fail() {
      const send = () =>
        fetch(`${url}/checkout`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"customerId":"nobody"}',
        })
          .then((response) => response.arrayBuffer())
          .catch(() => {});
      const timer = setInterval(send, FAILING_MS);
      run.onEnd(() => clearInterval(timer));
      return () => clearInterval(timer);
    },
  };
}

/** Without what this machine or the caller has set. */
function withoutTelemetry(env) {
  const own = /^(?:OTEL_|PERFORMANCE_|NODE_OPTIONS$|DATABASE_URL$|npm_)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
