// What a piece of work within a request costs: with OpenTelemetry's instrumentations, and with this package, in alternating rounds.
import { median, print, spread, table } from './figures.mjs';
import { answer, rotated, start, stop } from './processes.mjs';

const ROUNDS = 12;

async function load(url, { pieces, requests }) {
  for (let count = 0; count < requests; count++) {
    const response = await fetch(`${url}/${pieces}`);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    await response.arrayBuffer();
  }
}

function ask(child, what) {
  child.send(what);
  return answer(child);
}

/** CPU microseconds of the server per piece: wall-clock time would include other processes. */
async function measure({ child, url }, name, shape) {
  const pieces = shape.pieces * shape.requests;
  const counted = await ask(child, 'seen');
  const before = await ask(child, 'cpu');
  await load(url, shape);
  const after = await ask(child, 'cpu');
  const seen = (await ask(child, 'seen')) - counted;
  if (name !== 'bare' && seen !== pieces) throw new Error(`${name} counted ${seen} of ${pieces}`);
  return (after.user - before.user + after.system - before.system) / pieces;
}

/**
 * Measures servers that do as many pieces of work as a request asks for, and prints a table for each shape of a request.
 * @param script of the server, called with the name of a variant and `args`: see statements/server.mjs
 * @param variants what they are, by their names: `bare`, `opentelemetry` and others
 * @param shapes pieces of a request, and requests of a round
 * @returns for each shape the figures of each variant
 */
export async function compareWork({ what, script, args, variants, shapes, launches }) {
  const names = Object.keys(variants);
  const figures = shapes.map(() =>
    Object.fromEntries(names.map((name) => [name, { cpu: [], added: [], ratio: [], share: [] }])),
  );
  for (let count = 0; count < launches; count++) {
    const servers = {};
    try {
      for (const name of names) {
        const child = start(script, [name, ...args]);
        servers[name] = { child, url: await answer(child) };
        await load(servers[name].url, { pieces: 50, requests: 300 });
      }
      for (const [at, shape] of shapes.entries()) {
        const cpu = Object.fromEntries(names.map((name) => [name, []]));
        for (let round = 0; round < ROUNDS; round++)
          for (const name of rotated(names, round)) cpu[name].push(await measure(servers[name], name, shape));
        const added = (name) => median(cpu[name].map((value, round) => value - cpu.bare[round]));
        for (const name of names) {
          const figure = figures[at][name];
          figure.cpu.push(median(cpu[name]));
          figure.added.push(added(name));
          figure.ratio.push(added(name) / added('opentelemetry'));
          figure.share.push((100 * added(name)) / median(cpu.bare));
        }
      }
    } finally {
      for (const { child } of Object.values(servers)) await stop(child);
    }
  }
  for (const [at, { pieces, requests }] of shapes.entries()) {
    print(
      `\nCPU us per ${what} of a request with ${pieces}: medians of ${ROUNDS} rounds of ${requests} requests, over ${launches} launches (min to max)`,
    );
    table(
      ['variant', 'CPU us', 'added to bare', 'share of OpenTelemetry', 'of bare, %'],
      names.map((name) => {
        const { cpu, added, ratio, share } = figures[at][name];
        const rest = name === 'bare' ? ['', '', ''] : [spread(added), spread(ratio, 2), spread(share)];
        return [variants[name], spread(cpu), ...rest];
      }),
    );
  }
  return figures;
}
