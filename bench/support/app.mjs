// A small application with one controller and one parameter, in JavaScript without decorator syntax.
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class GreetingController {
  greet(id) {
    return { id, greeting: `Hello ${id}` };
  }
}
const { prototype } = GreetingController;
Param('id')(prototype, 'greet', 0);
Get(':id')(prototype, 'greet', Object.getOwnPropertyDescriptor(prototype, 'greet'));
Controller('greetings')(GreetingController);

/** Listens on a free port. */
export async function listen(imports = []) {
  class AppModule {}
  Module({ imports, controllers: [GreetingController] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, url: `http://127.0.0.1:${app.getHttpServer().address().port}/greetings/1` };
}
