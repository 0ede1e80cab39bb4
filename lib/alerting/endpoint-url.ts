/**
 * An address that can be posted to. A name and a password in it become a header, since `fetch` refuses them.
 * @param url an address that the options have accepted
 */
export function endpointOf(url: string): { url: URL; headers: Record<string, string> } {
  const endpoint = new URL(url);
  const { username, password } = endpoint;
  endpoint.username = '';
  endpoint.password = '';
  if (username === '' && password === '') return { url: endpoint, headers: {} };
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return {
    url: endpoint,
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  };
}

/** A `%` may stand for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
