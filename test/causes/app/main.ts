import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module';

/** Sends its address to the harness, and ends with it. */
async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ['warn', 'error'] });
  app.useBodyParser('json', { limit: '100mb' });
  await app.listen(0, '127.0.0.1');
  process.once('disconnect', () => process.exit());
  process.send?.(`http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
