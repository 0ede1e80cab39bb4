import type { IncomingMessage, ServerResponse } from 'node:http';
import { reportFault } from '../async/thrown.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { hasBody } from './client-wait.js';

export const REQUEST: unique symbol = Symbol.for('nestjs-performance.request') as never;

/** What hears of the course of a request. */
export interface WatchedRequest {
  /** The application reads the body. */
  awaitUpload(): void;
  uploaded(): void;
  /** All of the response has been written, but perhaps not sent. */
  answered(): void;
  /** The response is closed: it is complete, or the client disconnected. */
  closed(): void;
}

export interface MeasuredRequest extends IncomingMessage {
  [REQUEST]?: WatchedRequest;
}

interface MeasuredResponse extends ServerResponse {
  [REQUEST]?: WatchedRequest;
}

/** Reports the course of a request, which is known by its objects from then on. */
export function watchRequest(
  request: MeasuredRequest,
  response: MeasuredResponse,
  watched: WatchedRequest,
): void {
  request[REQUEST] = watched;
  response[REQUEST] = watched;
  // Not `once`: a response closes only once, and each call would allocate a wrapper. Before the listeners of others, which
  // may end their span of the request.
  response.prependListener('close', onClose);
  response.prependListener('prefinish', onAnswered);
  if (hasBody(request)) request.on('resume', onReading).on('pause', onRead).on('end', onRead);
}

/** For a response that may never be closed. */
export function endWhenFinished(response: MeasuredResponse): void {
  response.prependListener('finish', onClose);
}

function onAnswered(this: MeasuredResponse): void {
  this[REQUEST]?.answered();
}

function onReading(this: MeasuredRequest): void {
  this[REQUEST]?.awaitUpload();
}

function onRead(this: MeasuredRequest): void {
  this[REQUEST]?.uploaded();
}

function onClose(this: MeasuredResponse): void {
  const measured = meter.enter(COST.requestEnd);
  try {
    this[REQUEST]?.closed();
  } catch (error) {
    reportFault('counting a request failed', error);
  }
  meter.leave(COST.requestEnd, measured);
}
