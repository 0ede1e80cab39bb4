import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { heartbeat } from '../../lib/process/heartbeat.js';
import { startApplication, type TestApplication, until } from '../support/application.js';

@Controller('albums')
class AlbumsController {
  @Get()
  async list(): Promise<boolean> {
    const { isResting } = heartbeat();
    // Longer than the quiet after which it rests.
    await new Promise((resolve) => setTimeout(resolve, 400));
    return isResting || heartbeat().isResting;
  }
}

describe('the heartbeat of an application', () => {
  let application: TestApplication | undefined;
  afterEach(() => application?.app.close());

  it.each([true, false])('rests between requests and not within one, explain: %s', async (explain) => {
    application = await startApplication(
      'express',
      { controllers: [AlbumsController] },
      { detection: { explain } },
    );
    for (let count = 0; count < 2; count++) {
      await until(() => heartbeat().isResting);
      expect(await (await fetch(`${application.url}/albums`)).text()).toBe('false');
    }
    await until(() => heartbeat().isResting);
  });
});
