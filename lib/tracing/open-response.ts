import type { IncomingMessage, ServerResponse } from 'node:http';

/** Whether a response stays open for as long as the client listens: its duration is not slow. */
export function isOpenResponse(request: IncomingMessage, response: ServerResponse): boolean {
  return isEventStream(response) || isLongPoll(request);
}

/** Whether a request asks to become a WebSocket. */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  const { upgrade } = headers ?? {};
  if (method !== 'GET' || typeof upgrade !== 'string') return false;
  return /^websocket$/i.test(upgrade) && headers['sec-websocket-key'] !== undefined;
}

/** Server-sent events, or a subscription of GraphQL by the multipart protocol. */
function isEventStream(response: ServerResponse): boolean {
  const type = response.getHeader('content-type');
  if (typeof type !== 'string') return false;
  return /^text\/event-stream|^multipart\/mixed;.*subscriptionSpec/i.test(type);
}

/** A request of Engine.IO, the transport of Socket.IO, which is answered when there is a message. */
function isLongPoll({ url = '' }: IncomingMessage): boolean {
  return url.includes('transport=polling') && url.includes('EIO=');
}
