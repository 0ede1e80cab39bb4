/** Why an endpoint gave no profile, in a sentence for who called the command. */
export class EndpointFault extends Error {}

/** The environment variable with the token: on a command line, every user of the machine could read it. */
export const TOKEN_VARIABLE = 'NESTJS_PERFORMANCE_TOKEN';

/** An answer that is none: its status, and the message in it if there is one. */
export function refusedFault(status: number, message: string | undefined, hasToken: boolean): EndpointFault {
  const said = message === undefined ? '' : `: ${message}`;
  if (status === 401 || status === 403) return new EndpointFault(notAllowed(status, said, hasToken));
  // What the application itself says of the request is all there is to say.
  if ([400, 409, 422].includes(status) && message !== undefined) return new EndpointFault(message);
  return new EndpointFault(`the application answered ${status}${said}`);
}

function notAllowed(status: number, said: string, hasToken: boolean): string {
  const advice = hasToken
    ? `is ${TOKEN_VARIABLE} the application's endpoint.token?`
    : `set the environment variable ${TOKEN_VARIABLE} to the application's endpoint.token`;
  return `not allowed (${status}${said}): ${advice}`;
}

/** What kept a request from being answered. */
export function connectionFault(error: unknown): EndpointFault {
  if (error instanceof EndpointFault) return error;
  // A name with several addresses, each with a fault of its own.
  const first: NodeJS.ErrnoException = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = first;
  if (code === 'ECONNREFUSED')
    return new EndpointFault('connection refused: does the application run there?');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new EndpointFault('there is no host of that name');
  if (code === 'ECONNRESET')
    return new EndpointFault('the connection was closed before the answer was complete');
  return new EndpointFault(message === '' ? (code ?? 'the connection failed') : message);
}
