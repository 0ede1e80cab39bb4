// The Collector with profiles.yaml, and a receiver of what it exports: OTLP in JSON, which the Collector has made of what the
// application sent in Protocol Buffers.
import { createServer } from 'node:http';
import { configure } from './deploy-files.mjs';
import { answers, freePort } from './processes.mjs';

const MAX_PROFILES = 1000;

/** @returns its address for OTLP/HTTP, and the profiles that it has exported */
export async function startProfileCollector(run, program) {
  const { url, profiles } = await startReceiver(run);
  const name = 'otel-collector-profiles';
  const [http, health, own] = await Promise.all(Array.from({ length: 3 }, freePort));
  const file = configure(
    'otel-collector/profiles.yaml',
    {
      '0.0.0.0:4318': `127.0.0.1:${http}`,
      '0.0.0.0:13133': `127.0.0.1:${health}`,
      // Not used: Pyroscope cannot be built.
      'pyroscope:4040': '127.0.0.1:1',
    },
    run.folderOf(name),
  );
  const reader = `{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${own}}}}}`;
  await run.start(
    name,
    program,
    [
      `--config=${file}`,
      '--feature-gates=service.profilesSupport',
      `--set=service.telemetry.metrics.readers=[${reader}]`,
      `--set=exporters.otlp_http/json={endpoint: "${url}", encoding: json, compression: none}`,
      '--set=service.pipelines.profiles.exporters=[otlp_http/json]',
    ],
    { ready: () => answers(`http://127.0.0.1:${health}`) },
  );
  return { url: `http://127.0.0.1:${http}`, profiles };
}

async function startReceiver(run) {
  const profiles = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { resourceProfiles, dictionary } = JSON.parse(Buffer.concat(chunks).toString());
    for (const profile of readProfiles(resourceProfiles, dictionary))
      if (profiles.length < MAX_PROFILES) profiles.push(profile);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  run.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, profiles };
}

/** What is said in OTLP's JSON, with what its indices refer to. */
function readProfiles(resourceProfiles, dictionary) {
  const { stringTable, functionTable, locationTable, linkTable, stackTable } = dictionary;
  const frameOf = (index) =>
    (locationTable[index].lines ?? []).map(
      ({ functionIndex }) => stringTable[functionTable[functionIndex ?? 0].nameStrindex ?? 0],
    );
  const sampleOf = ({ stackIndex = 0, linkIndex = 0, values = [] }) => ({
    frames: (stackTable[stackIndex].locationIndices ?? []).flatMap(frameOf),
    ...(linkIndex === 0 ? {} : linkTable[linkIndex]),
    nanoseconds: values.reduce((sum, value) => sum + Number(value), 0),
  });
  return resourceProfiles.flatMap(({ resource, scopeProfiles }) =>
    scopeProfiles.flatMap(({ profiles }) =>
      profiles.map(({ sampleType, samples = [] }) => ({
        resource: Object.fromEntries(
          resource.attributes.map(({ key, keyStrindex, value }) => [
            key ?? stringTable[keyStrindex],
            // The Collector refers to its table of strings.
            value.stringValue ?? stringTable[value.stringValueStrindex],
          ]),
        ),
        type: stringTable[sampleType.typeStrindex],
        unit: stringTable[sampleType.unitStrindex],
        samples: samples.map(sampleOf),
      })),
    ),
  );
}
