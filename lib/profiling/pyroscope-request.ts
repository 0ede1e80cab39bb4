/** The server's default limits for the names and values of labels. */
const MAX_NAME = 1024;
const MAX_VALUE = 2048;

/**
 * `service{label=value,…}`, as `/ingest` parses it (grafana/pyroscope, `api/model/labelset`): the service name may
 * contain letters, digits and `_ . - /`, a label name letters, digits and `_`, and a value anything but `,` and `}`.
 * There is no escape: other characters become `_`. `given` labels override `hostname` and `version`.
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

/** The query string. Times are seconds since 1970, as the SDKs send them; the pprof contains exact times. */
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
  // The server accepts only integers.
  if (times.sampleRate !== undefined) query.set('sampleRate', String(Math.round(times.sampleRate)));
  return query.toString();
}

function serviceName(name: string): string {
  return name.replace(/[^\w.\-/]/g, '_').slice(0, MAX_NAME) || 'unknown_service';
}

/** Names such as `__name__` are reserved by the server. */
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
