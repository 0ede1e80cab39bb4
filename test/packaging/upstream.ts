import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

/** Servers that answer with the headers they were sent, for applications to call. */
export interface Upstream {
  /** Where to find them, for {@link Consumer.start}. */
  readonly env: { HTTP_PORT: string; HTTPS_PORT: string; PSK: string };
  close(): void;
}

const PSK = 'known to both ends';

export async function startUpstream(): Promise<Upstream> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.headers));
  };
  const http = createServer(answer);
  // A key that both ends know stands in for a certificate, which would be one more file that expires.
  const https = createSecureServer(
    { ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => Buffer.from(PSK) },
    answer,
  );
  return {
    env: { HTTP_PORT: await listen(http), HTTPS_PORT: await listen(https), PSK },
    close() {
      for (const server of [http, https]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0);
  await once(server, 'listening');
  return String((server.address() as AddressInfo).port);
}
