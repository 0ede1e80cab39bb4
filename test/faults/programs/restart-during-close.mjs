// An application that starts while another one closes, whose collector never answers.
import { createApplication, request, say } from './application.mjs';

const options = (tracing) => ({
  tracing,
  baseline: { directory: process.env.FOLDER },
  enableProfiling: false,
});
const first = await createApplication(options({ endpoint: process.env.HANGING }));
await first.listen(0, '127.0.0.1');
await request(`${await first.getUrl()}/busy`);
const closing = first.close();
await new Promise((resolve) => setTimeout(resolve, 500));
const second = await createApplication(options({}));
await second.listen(0, '127.0.0.1');
const url = await second.getUrl();
await request(`${url}/busy`);
await closing;
await request(`${url}/busy`);
const { byType } = await (await fetch(`${url}/performance/stats`)).json();
say({ requests: byType.http?.count, calls: byType.external?.count ?? 0 });
await second.close();
