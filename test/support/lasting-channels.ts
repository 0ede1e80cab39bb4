import * as diagnostics from 'node:diagnostics_channel';

/** The names of the tracing channels of drivers. */
export const LASTING = [
  'ioredis:command',
  'node-redis:command',
  'mysql2:query',
  'mysql2:execute',
  'mysql2:pool:connect',
  'mongoose:query',
  'mongoose:aggregate',
  'mongoose:model:save',
  'mongoose:model:insertMany',
  'mongoose:model:bulkWrite',
  'mongoose:cursor:next',
];

// Node 20 loses a channel that is asked for just after one of the same name was collected (nodejs/node#59910): its subscribers
// then hear nothing. In a process that runs one test file after the other that happens, as each file has drivers of its own.
// So the channels are never collected: what all files share, the function of Node, holds them.
for (const name of LASTING)
  for (const part of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'])
    Reflect.set(
      diagnostics.channel,
      Symbol.for(`${name}:${part}`),
      diagnostics.channel(`tracing:${name}:${part}`),
    );
