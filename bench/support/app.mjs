// A small application: one controller with one parameter, as plain JavaScript applies its decorators.
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

/** Listens on a port that is free. */
export async function listen(imports = []) {
  class AppModule {}
  Module({ imports, controllers: [GreetingController] })(AppModule);
  const app = await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, url: `http://127.0.0.1:${app.getHttpServer().address().port}/greetings/1` };
}
