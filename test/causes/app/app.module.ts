import { Module } from '@nestjs/common';
import { PerformanceModule } from 'nestjs-performance';
import { BodiesModule } from './bodies/bodies.module';
import { CompanionsModule } from './companions/companions.module';
import { ControlsModule } from './controls/controls.module';
import { CpuModule } from './cpu/cpu.module';
import { DriversModule } from './drivers/drivers.module';
import { EventLoopModule } from './event-loop/event-loop.module';
import { MappingModule } from './mapping/mapping.module';
import { NPlusOneModule } from './n-plus-one/n-plus-one.module';
import { PoolModule } from './pool/pool.module';
import { RowByRowModule } from './row-by-row/row-by-row.module';
import { SequentialModule } from './sequential/sequential.module';
import { SlowPartsModule } from './slow-parts/slow-parts.module';
import { StoreModule } from './store/store.module';
import { SynchronousModule } from './synchronous/synchronous.module';
import { WaitingModule } from './waiting/waiting.module';

/** One module for each kind of cause. The thresholds are low, so that cases can be short. */
@Module({
  imports: [
    PerformanceModule.forRoot({
      httpThresholdMs: 60,
      databaseThresholdMs: 60,
      cacheThresholdMs: 60,
      externalThresholdMs: 60,
      customThresholds: { rpc: 60, messaging: 60, job: 60 },
      alerts: { enabled: false },
      profiling: { sampler: 'inspector' },
      // Companions prepare a case and are not judged.
      http: { ignore: ['/companions/'] },
    }),
    StoreModule,
    NPlusOneModule,
    RowByRowModule,
    DriversModule,
    SlowPartsModule,
    CpuModule,
    MappingModule,
    SynchronousModule,
    BodiesModule,
    EventLoopModule,
    PoolModule,
    WaitingModule,
    SequentialModule,
    ControlsModule,
    CompanionsModule,
  ],
})
export class AppModule {}
