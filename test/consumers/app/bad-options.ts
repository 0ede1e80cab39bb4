import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PerformanceModule } from 'nestjs-performance';

@Module({
  imports: [PerformanceModule.forRoot({ httpThresholdMs: -5, tracing: { sampling: { ratio: 7 } } })],
})
class AppModule {}

void NestFactory.create(AppModule).then((app) => app.listen(0));
