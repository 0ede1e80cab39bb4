import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { rate } from './offer.mapper';

/** Rates the titles of a response. */
@Injectable()
export class RatingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<string[]>): Observable<number[]> {
    return next.handle().pipe(map((titles) => titles.map(rate)));
  }
}
