export type { AlertUnit, OpenAlert, PerformanceAlert } from './alerting/alert.js';
export type { AlertFilter } from './alerting/alert-filter.js';
export type { BurnCount, BurnRate, BurnWindow } from './alerting/burn-rate.js';
export type { AlertNotification, NotifierStatus } from './alerting/notifier.js';
export type { WebhookBody } from './alerting/webhook-notifier.js';
export { verifyAlertSignature } from './alerting/webhook-signature.js';
export type { BaselineStatus } from './baseline/baseline.js';
export type { Usual } from './baseline/operation-history.js';
export type { PartName } from './baseline/operation-window.js';
export type { ChangedPart, Regression, RegressionMetric } from './baseline/regression.js';
export type { Trend } from './baseline/trend.js';
export type { CallSite } from './code/call-site.js';
export {
  OnPerformanceAlert,
  type OnPerformanceAlertDecorator,
} from './decorators/on-performance-alert.decorator.js';
export { SlowThreshold } from './decorators/slow-threshold.decorator.js';
export {
  TrackPerformance,
  type TrackPerformanceDecorator,
  withPerformanceTracking,
} from './decorators/track-performance.decorator.js';
export type { TrackOptions } from './decorators/tracked-operation.js';
export { type ApiDocument, withPerformanceEndpoint } from './endpoint/controllers.js';
export type { WatchdogStatus } from './event-loop/event-loop-watchdog.js';
export type { CauseName, RankedCause } from './explain/cause.js';
export type { Finding, FindingType, Severity } from './explain/finding.js';
export type { SlowQuery } from './explain/slow-queries.js';
export type { Waterfall, WaterfallSpan } from './explain/waterfall.js';
export {
  PerformanceHealthIndicator,
  type PerformanceHealthLimits,
  type PerformanceHealthResult,
  type PerformanceHealthStatus,
} from './health/performance.health.js';
export { PerformanceInterceptor } from './http/performance.interceptor.js';
export type { DriverStatus } from './monitor/driver-status.js';
export type { SpanLike } from './monitor/guarded-span.js';
export type {
  DetailedSlowOperation,
  HttpEvidence,
  OperationType,
  SlowOperation,
} from './monitor/operation.js';
export type { OperationCost } from './monitor/operation-cost.js';
export type { LatencySummary, WindowName } from './monitor/operation-statistics.js';
export {
  type EndedOperation,
  PerformanceMonitor,
} from './monitor/performance-monitor.js';
export { PerformanceMonitorService } from './monitor/performance-monitor.service.js';
export type { PerformanceStats } from './monitor/performance-stats.js';
export type { NamedStatistics, TypeStatistics } from './monitor/statistics.js';
export type { AlertOptions, AlertRuleOptions, SilenceOptions, SloOptions } from './options/alert-options.js';
export type {
  AdaptiveThresholdOptions,
  BaselineOptions,
  KeyValueStore,
  RegressionOptions,
} from './options/baseline-options.js';
export type { MetricsOptions } from './options/metrics-options.js';
export type { AlertmanagerOptions, NotifierOptions, WebhookOptions } from './options/notifier-options.js';
export type {
  DetectionOptions,
  EndpointGuardClass,
  EndpointGuardLike,
  EndpointOptions,
  EventLoopBlockOptions,
  HttpOptions,
  MemoryLeakOptions,
  NPlusOneOptions,
  PerformanceOptions,
  ProfilingOptions,
  PyroscopeOptions,
  ResolvedOptions,
  ResourceOptions,
  SamplingOptions,
  TracingOptions,
} from './options/options.js';
export { type OptionFault, PerformanceOptionsError } from './options/options-error.js';
export { RESOLVED_OPTIONS, TRACER_PROVIDER } from './options/tokens.js';
export { PerformanceModule, type PerformanceModuleExtras } from './performance.module.js';
export type { HotFunction } from './profiling/hot-functions.js';
export type { CaptureOptions } from './profiling/on-demand.js';
export {
  CaptureRefusedError,
  type ProfileInfo,
  type ProfileReason,
  type ProfileType,
} from './profiling/profile-info.js';
export type { ProfilingStatus } from './profiling/profiling.js';
export type {
  PerformanceReport,
  ReportedFinding,
  ReportedOperation,
  ReportedResources,
} from './report/report.js';
export { REPORT_SCHEMA } from './report/report-schema.js';
export type { PeakResources } from './report/resource-peaks.js';
export type { Leak, LeakingMemory } from './resources/leak.js';
export {
  type CurrentResources,
  type ResourceEvidence,
  ResourceSampler,
} from './resources/resource-sampler.js';
export { getPerformanceMonitor, getPerformanceStats } from './tracing/running-monitor.js';
export type { SdkSpan, SdkSpanProcessor } from './tracing/sdk-span.js';
export { SlowSpanProcessor } from './tracing/slow-span.processor.js';
