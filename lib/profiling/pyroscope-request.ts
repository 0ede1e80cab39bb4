/** A label's name or value may be that long on the server, by default. */
const MAX_NAME = 1024;
const MAX_VALUE = 2048;

/**
 * `service{label=value,…}`, as `/ingest` parses it (grafana/pyroscope, `api/model/labelset`): a name of the service may
 * hold letters, digits and `_ . - /`, a label's letters, digits and `_`, and a value anything but `,` and `}`. There is
 * no escape: what is not allowed becomes `_`. Labels that are given go before `hostname` and `version`.
 */
export function ingestName(
  service: { readonly serviceName: string; readonly serviceVersion?: string; readonly hostName: string },
  given: Readonly<Record<string, string>> = {},
): string {
  const labels = new Map<string, string>();
  const all = { hostname: service.hostName, version: service.serviceVersion ?? '', ...given };
  for (const [name, value] of Object.entries(all)) {
    const safe = labelValue(value);
    if (safe !== '') labels.set(labelName(name), safe);
  }
  const text = [...labels].map(([name, value]) => `${name}=${value}`).join(',');
  return `${serviceName(service.serviceName)}{${text}}`;
}

/** The rest of the address, after `?`. Seconds since 1970, as the SDKs send them; exact times are in the pprof. */
export function ingestQuery(
  name: string,
  times: { readonly startedAt: number; readonly endedAt: number; readonly sampleRate?: number },
): string {
  const query = new URLSearchParams({
    name,
    from: String(Math.floor(times.startedAt / 1000)),
    until: String(Math.ceil(times.endedAt / 1000)),
    spyName: 'nodespy',
  });
  // The server takes whole numbers alone.
  if (times.sampleRate !== undefined) query.set('sampleRate', String(Math.round(times.sampleRate)));
  return query.toString();
}

function serviceName(name: string): string {
  return name.replace(/[^\w.\-/]/g, '_').slice(0, MAX_NAME) || 'unknown_service';
}

/** `__name__` and its like are the server's own. */
function labelName(name: string): string {
  const safe = name.replace(/\W/g, '_').replace(/^_+/, '').slice(0, MAX_NAME);
  return /^[a-z]/i.test(safe) ? safe : `label_${safe}`;
}

function labelValue(value: string): string {
  return String(value)
    .replace(/[,}\p{Cc}]/gu, '_')
    .trim()
    .slice(0, MAX_VALUE);
}
