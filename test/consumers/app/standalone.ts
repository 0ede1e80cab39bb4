// An application without a server, which nothing keeps alive once main is over. It does not close itself.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PerformanceModule, PerformanceMonitorService, TrackPerformance } from 'nestjs-performance';

class Job {
  @TrackPerformance()
  async run(): Promise<void> {}
}

@Module({ imports: [PerformanceModule.forRoot()] })
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  await new Job().run();
  const { operations } = app.get(PerformanceMonitorService).getStats();
  process.stdout.write(JSON.stringify(operations.map(({ name, count }) => ({ name, count }))));
}

void main();
