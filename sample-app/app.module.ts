import { join } from 'node:path';
import { CacheModule } from '@nestjs/cache-manager';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PerformanceModule, type PerformanceOptions } from 'nestjs-performance';
import { CatalogController } from './catalog/catalog.controller';
import { CatalogService } from './catalog/catalog.service';
import { Album, Artist, Track } from './catalog/entities';
import { HealthController } from './health/health.controller';
import { LeakController } from './leak/leak.controller';
import { Order } from './orders/order.entity';
import { OrdersController } from './orders/orders.controller';
import { OrdersService } from './orders/orders.service';
import { queryForPlans } from './postgres/plan-query';
import { Seed } from './postgres/seed';
import { RecommendationsController } from './recommendations/recommendations.controller';
import { Findings } from './traffic/findings';

const ENTITIES = [Artist, Album, Track, Order];

@Module({
  imports: [
    // A factory, because main.ts sets PERFORMANCE_DIRECTORY after this file is loaded.
    PerformanceModule.forRootAsync({ useFactory: performanceOptions }),
    TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'postgres',
        url: process.env['DATABASE_URL'],
        entities: ENTITIES,
        synchronize: true,
      }),
    }),
    TypeOrmModule.forFeature(ENTITIES),
    CacheModule.registerAsync({ useFactory: cacheOptions }),
    TerminusModule.forRoot({ errorLogStyle: 'pretty' }),
  ],
  controllers: [
    CatalogController,
    OrdersController,
    RecommendationsController,
    LeakController,
    HealthController,
  ],
  providers: [CatalogService, OrdersService, Seed, Findings],
})
export class AppModule {}

function performanceOptions(): PerformanceOptions {
  const directory = given('PERFORMANCE_DIRECTORY') ?? join(process.cwd(), '.performance');
  return {
    serviceName: 'music-store',
    httpThresholdMs: 150,
    databaseThresholdMs: 100,
    externalThresholdMs: 250,
    enableProfiling: true,
    profileSlowOperations: true,
    profiling: {
      ...{ sampler: 'inspector', directory },
      pyroscope: { url: given('PYROSCOPE_URL') },
      otlp: { url: given('OTLP_PROFILES_URL') },
    },
    // Without a token, callers on this machine have access.
    endpoint: { token: given('PERFORMANCE_TOKEN') },
    baseline: { directory: join(directory, 'baseline') },
    detection: { plans: { query: queryForPlans } },
    // Missed on any processor, as long as the route has its N+1 and no index.
    alerts: { slos: [{ operation: 'GET /albums/with-tracks', objective: 0.95, thresholdMs: 40 }] },
  };
}

/** An environment variable; undefined if empty. */
function given(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Redis at REDIS_URL, else memory. */
async function cacheOptions(): Promise<{ stores?: unknown[] }> {
  const url = given('REDIS_URL');
  if (url === undefined) return {};
  const { default: KeyvRedis } = await import('@keyv/redis');
  return { stores: [new KeyvRedis(url)] };
}
