// What of OpenTelemetry is loaded by importing the package, and then by starting the module.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PerformanceModule } from 'nestjs-performance';

function loaded(): string[] {
  const files = Object.keys(createRequire(process.argv[1] ?? '').cache);
  const names = files.map((file) =>
    /node_modules[\\/](@opentelemetry[\\/][\w-]+)/.exec(file)?.[1]?.replace('\\', '/'),
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

const imported = loaded();

@Module({ imports: [PerformanceModule.forRoot()] })
class AppModule {}

void NestFactory.createApplicationContext(AppModule, { logger: false }).then(() => {
  process.stdout.write(JSON.stringify({ imported, started: loaded() }));
});
