import { Reflector } from '@nestjs/core';

/**
 * What sets a route below the endpoint apart from those that tell figures. `page`: it holds nothing of the
 * application, so that a browser without authority may load it to ask for the token. `stream`: it has a bound of its own.
 */
export const RouteKind = Reflector.createDecorator<'page' | 'stream'>();
