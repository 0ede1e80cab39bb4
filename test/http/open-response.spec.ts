import { describe, expect, it } from '@jest/globals';
import { isHandshake } from '../../lib/tracing/open-response.js';

const HANDSHAKE = { upgrade: 'WebSocket', 'sec-websocket-key': 'key' };

describe('the handshake of a WebSocket', () => {
  it.each<[boolean, string, object | undefined]>([
    [true, 'GET', HANDSHAKE],
    [false, 'POST', HANDSHAKE],
    [false, 'GET', { upgrade: 'websocket' }],
    [false, 'GET', { ...HANDSHAKE, upgrade: 'h2c' }],
    [false, 'GET', { ...HANDSHAKE, upgrade: ['websocket'] }],
    [false, 'GET', { 'sec-websocket-key': 'key' }],
    [false, 'GET', undefined],
  ])('is %s for %s with %j', (is, method, headers) => {
    expect(isHandshake({ method, headers } as never)).toBe(is);
  });
});
