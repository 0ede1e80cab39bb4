// The ESM half of an application: it imports the package, and the half that requires it.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PerformanceModule, PerformanceMonitorService, TrackPerformance } from 'nestjs-performance';
import { Feature, PerformanceMonitorService as Required } from './feature.cjs';

class Own {
  @TrackPerformance()
  imported(): void {}
}

@Module({ imports: [PerformanceModule.forRoot()], providers: [Feature] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const feature = app.get(Feature);
feature.required();
new Own().imported();
process.stdout.write(
  JSON.stringify({
    // To the compiler they are two classes, one of each format; at run time there must be one.
    sameClass: Object.is(Required, PerformanceMonitorService),
    sameInstance: [app.get(Required), feature.monitor].every((it) =>
      Object.is(it, app.get(PerformanceMonitorService)),
    ),
    counted: feature.monitor
      .getStats()
      .operations.map(({ name }) => name)
      .sort(),
  }),
);
