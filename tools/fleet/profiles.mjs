// Receives profiles in the way Pyroscope does, and reads them with Go's pprof.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MAX_PROFILES = 1000;

/** Listens for `POST /ingest`. */
export async function startIngest(run) {
  const folder = run.folderOf('profiles');
  /** `{ name, file }`: the name with labels, and the pprof. */
  const profiles = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    if (request.method !== 'POST' || pathname !== '/ingest') return response.writeHead(404).end();
    // The platform's parser of forms.
    const type = request.headers['content-type'];
    const form = await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData();
    const file = join(folder, `${profiles.length}.pb.gz`);
    if (profiles.length < MAX_PROFILES) {
      writeFileSync(file, Buffer.from(await form.get('profile').arrayBuffer()));
      profiles.push({ name: searchParams.get('name'), file });
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  run.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, profiles };
}

/** What `go tool pprof` says of a profile. */
export async function pprof(file, ...options) {
  const { stdout } = await promisify(execFile)('go', ['tool', 'pprof', ...options, file], {
    env: { ...process.env, PPROF_NO_BROWSER: '1' },
  });
  return stdout;
}
