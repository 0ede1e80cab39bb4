// The CommonJS half of an application: it requires the package.
import { Injectable } from '@nestjs/common';
import { PerformanceMonitorService, TrackPerformance } from 'nestjs-performance';

@Injectable()
class Feature {
  constructor(readonly monitor: PerformanceMonitorService) {}

  @TrackPerformance()
  required(): void {}
}

export { Feature, PerformanceMonitorService };
