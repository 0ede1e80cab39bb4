// Run by Jest in its CommonJS mode, within the application of ../cjs.
require('reflect-metadata');
const { NestFactory } = require('@nestjs/core');
const { PerformanceMonitorService } = require('nestjs-performance');
const { AppModule } = require('../cjs/app.module.js');

test('the CommonJS build serves an application', async () => {
  expect(require.resolve('nestjs-performance')).toMatch(/[\\/]dist[\\/]cjs[\\/]index\.js$/);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  expect((await fetch(`${await app.getUrl()}/users/7`)).status).toBe(200);
  const { operations } = app.get(PerformanceMonitorService).getStats();
  expect(operations.map(({ name, count }) => [name, count])).toEqual(
    expect.arrayContaining([
      ['GET /users/:id', 1],
      ['UsersService.find', 1],
    ]),
  );
  await app.close();
});
