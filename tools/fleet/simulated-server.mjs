// The process of a simulated instance: serves its metrics, sends its port, and receives what it suffers from.
import { createServer } from 'node:http';
import { Simulation } from './simulated-instance.mjs';

const simulation = new Simulation();
let illnesses = new Set();
let down = false;

process.on('message', (state) => {
  illnesses = new Set(state.illnesses);
  down = state.down;
});
process.once('disconnect', () => process.exit());

const server = createServer((_, response) => {
  if (down) return response.writeHead(503).end();
  response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
  response.end(simulation.scrape(illnesses));
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
