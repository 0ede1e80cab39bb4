import { jest } from '@jest/globals';
import { TokenBucket } from '../../lib/nest/endpoint/token-bucket.js';

/** No bucket is filled again until mocks are restored, so that limits are exact however slow the requests are. */
export function stopBuckets(): void {
  const { take } = TokenBucket.prototype;
  jest.spyOn(TokenBucket.prototype, 'take').mockImplementation(function (this: TokenBucket) {
    return take.call(this, Reflect.get(this, 'filledAt'));
  });
}
