// What Alertmanager sends to the receivers of a configuration.
import { createServer } from 'node:http';

const MAX_ALERTS = 10_000;

/** Listens for notifications, at a path for each receiver. */
export async function startWebhook(run) {
  /** `{ receiver, status, labels, annotations }` in the order of arrival. */
  const alerts = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { alerts: sent = [] } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    for (const { status, labels, annotations } of sent)
      if (alerts.length < MAX_ALERTS)
        alerts.push({ receiver: request.url.slice(1), status, labels, annotations });
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  run.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, alerts };
}

/** Adds the webhook to each receiver of an Alertmanager configuration, as its user would. */
export function withWebhook(text, url) {
  const receivers = text.slice(text.indexOf('\nreceivers:'), text.indexOf('\ninhibit_rules:'));
  const names = [...receivers.matchAll(/^ {2}- name: (\w+)$/gm)].map(([, name]) => name);
  if (names.length === 0) throw new Error('Alertmanager has no receivers');
  const added = receivers.replace(
    /^ {2}- name: (\w+)$/gm,
    (line, name) => `${line}\n    webhook_configs: [{ url: "${url}/${name}", send_resolved: true }]`,
  );
  return text.replace(receivers, () => added);
}
