// Many instances in one process, each at its own path. The metrics of one real instance are the template, whose values grow
// over time, faster in some instances. Receives { text, count }, sends its port.
import { once } from 'node:events';
import { createServer } from 'node:http';

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})? (\S+)(.*)$/;
const GROWS = /_(?:total|bucket|count|sum)$/;

/** Constant lines, or [before the value, value, after it, whether it grows]. */
function parse(text) {
  return text.split('\n').map((line) => {
    const match = line.startsWith('#') ? null : SAMPLE.exec(line);
    if (match === null) return line;
    const [, name, labels = '', value, rest] = match;
    return [`${name}${labels} `, Number(value), rest, GROWS.test(name)];
  });
}

function render(template, instance, seconds) {
  // The traffic of the template once a minute, a third more in some instances.
  const growth = 1 + (seconds / 60) * (1 + (instance % 4) / 10);
  const sway = 1 + 0.1 * Math.sin(seconds / 30 + instance);
  let text = '';
  for (const line of template) {
    if (typeof line === 'string') text += `${line}\n`;
    else {
      const [before, value, after, grows] = line;
      const now = grows ? Math.floor(value * growth * 1000) / 1000 : value * sway;
      text += `${before}${Number.isInteger(value) && grows ? Math.floor(now) : now}${after}\n`;
    }
  }
  return text.slice(0, -1);
}

const [{ text, count }] = await once(process, 'message');
const template = parse(text);
const startedAt = performance.now();
const server = createServer(({ url }, response) => {
  const instance = Number(url.slice(1));
  if (!(instance < count)) return response.writeHead(404).end();
  response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  response.end(render(template, instance, (performance.now() - startedAt) / 1000));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
process.send(server.address().port);
