// Prints the status of the indicator by the health check, once within its limits and once above one of them.
import 'reflect-metadata';
import { type HttpException, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type HealthCheckResult, TerminusModule } from '@nestjs/terminus';
import { PerformanceModule } from 'nestjs-performance';
import { HealthController } from './health.controller.js';

@Module({
  imports: [PerformanceModule.forRoot(), TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const health = app.get(HealthController);
  // Terminus answers 503 by an exception.
  const above = await health
    .checkHeap(0)
    .catch((error: HttpException) => error.getResponse() as HealthCheckResult);
  const within = await health.checkHeap(100);
  await app.close();
  const status = ({ details }: HealthCheckResult): unknown => details['heap']?.status;
  process.stdout.write(JSON.stringify({ within: status(within), above: status(above) }));
}

void main();
