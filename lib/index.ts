export type { AlertUnit, OpenAlert, PerformanceAlert } from './alerting/alert.js';
export type { AlertFilter } from './alerting/alert-filter.js';
export type {
  AlertOptions,
  AlertRuleCommon,
  AlertRuleOptions,
  ErrorRateRuleOptions,
  EventLoopDelayRuleOptions,
  EventLoopUtilizationRuleOptions,
  FindingRuleOptions,
  HeapUsedRuleOptions,
  LatencyRuleOptions,
  LeakRuleOptions,
  RegressionRuleOptions,
  SilenceOptions,
  SloOptions,
  SlowPercentageRuleOptions,
} from './alerting/alert-options.js';
export type { BurnCount, BurnRate, BurnWindow } from './alerting/burn-rate.js';
export type { AlertNotification, NotifierStatus } from './alerting/notifier.js';
export type {
  AlertLogLevel,
  AlertmanagerOptions,
  NotifierOptions,
  WebhookOptions,
} from './alerting/notifier-options.js';
export type { WebhookBody } from './alerting/webhook-notifier.js';
export { verifyAlertSignature } from './alerting/webhook-signature.js';
export type { BaselineStatus } from './baseline/baseline.js';
export type {
  AdaptiveThresholdOptions,
  BaselineOptions,
  KeyValueStore,
  RegressionOptions,
} from './baseline/baseline-options.js';
export type {
  ChangeMeasure,
  ChangeVerdict,
  MeasureChange,
  OperationChange,
} from './baseline/operation-change.js';
export type { MemoryChange, ProcessChange, ProcessSide } from './baseline/process-change.js';
export type { MemoryMeasure } from './baseline/process-memory.js';
export type { ChangedPart, Regression, RegressionMetric } from './baseline/regression.js';
export type {
  ChangedBelow,
  ReleaseOperation,
  ReleaseSide,
  ReleaseVerdict,
  ReleaseVersion,
} from './baseline/release-verdict.js';
export type { Trend } from './baseline/trend.js';
export { UnknownVersionError } from './baseline/unknown-version.js';
export type { CallSite } from './code/call-site.js';
export type { CauseName, RankedCause } from './explain/cause.js';
export type { DetectionOptions, MemoryLeakOptions, NPlusOneOptions } from './explain/detection-options.js';
export type { Finding, FindingType, FoundError, Severity } from './explain/finding.js';
export type { DetailedSlowOperation, Explanation, SlowOperation } from './explain/slow-operation.js';
export type { SlowQuery } from './explain/slow-queries.js';
export type { FleetOptions } from './fleet/fleet-options.js';
export type { Leak, LeakingMemory } from './leaks/leak.js';
export type { MetricsOptions } from './metrics/metrics-options.js';
export type { EndpointGuardClass, EndpointGuardLike, EndpointOptions } from './monitor/endpoint-options.js';
export type { LoggingOptions } from './monitor/logging-options.js';
export type { MonitorOptions, ResolvedOptions } from './monitor/options.js';
export { PerformanceMonitor } from './monitor/performance-monitor.js';
export type {
  AttributeNames,
  HttpOptions,
  SamplingOptions,
  SemanticConventionOptions,
  TracingOptions,
} from './monitor/tracing-options.js';
export {
  OnPerformanceAlert,
  type OnPerformanceAlertDecorator,
} from './nest/decorators/on-performance-alert.decorator.js';
export { SlowThreshold } from './nest/decorators/slow-threshold.decorator.js';
export {
  TrackPerformance,
  type TrackPerformanceDecorator,
  withPerformanceTracking,
} from './nest/decorators/track-performance.decorator.js';
export type { TrackOptions } from './nest/decorators/tracked-operation.js';
export { type ApiDocument, withPerformanceEndpoint } from './nest/endpoint/api-document.js';
export {
  PerformanceHealthIndicator,
  type PerformanceHealthLimits,
  type PerformanceHealthResult,
  type PerformanceHealthStatus,
} from './nest/health/performance.health.js';
export type { PerformanceOptions, ResolvedModuleOptions } from './nest/module-options.js';
export { PerformanceInterceptor } from './nest/performance.interceptor.js';
export { PerformanceModule, type PerformanceModuleExtras } from './nest/performance.module.js';
export { PerformanceMonitorService } from './nest/performance-monitor.service.js';
export { getPerformanceMonitor, getPerformanceStats } from './nest/running-monitor.js';
export { RESOLVED_OPTIONS, TRACER_PROVIDER } from './nest/tokens.js';
export type { DriverStatus } from './operation/driver-status.js';
export type {
  HttpEvidence,
  HttpEvidenceSource,
  OperationBaseline,
  OperationType,
} from './operation/operation.js';
export type { ServiceOptions } from './operation/service-options.js';
export type { ThresholdOptions } from './operation/threshold-options.js';
export type { MemoryPartStatus } from './overhead/memory-budget.js';
export type { OverheadPart, OverheadStatus } from './overhead/overhead.js';
export type { OverheadOptions } from './overhead/overhead-options.js';
export type { PlanOptions, PlanQuery } from './plans/plan-options.js';
export type { StatementPlan, SuggestedIndex } from './plans/statement-plan.js';
export type { WatchdogStatus } from './process/event-loop-watchdog.js';
export type { EventLoopBlockOptions, ResourceOptions } from './process/resource-options.js';
export {
  type CurrentResources,
  type ResourceEvidence,
  ResourceSampler,
} from './process/resource-sampler.js';
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
  OtlpProfileOptions,
  ProfilingOptions,
  ProfilingSwitches,
  PyroscopeOptions,
} from './profiling/profiling-options.js';
export type { DroppedCounts, PerformanceStats } from './report/performance-stats.js';
export type {
  ActiveAlert,
  CoveredTime,
  LifetimeResources,
  PerformanceReport,
  ReportCoverage,
  ReportedFinding,
  ReportedOperation,
  ReportedResources,
  ReportedService,
} from './report/report.js';
export { REPORT_SCHEMA } from './report/report-schema.js';
export type { PeakResources } from './report/resource-peaks.js';
export type { EndedOperation } from './spans/ended-operation.js';
export type { SpanLike } from './spans/guarded-span.js';
export type { EndedSdkSpan, SdkSpan, SdkSpanProcessor } from './spans/sdk-span.js';
export type { RemoteTiming } from './spans/server-timing.js';
export type { Waterfall, WaterfallSpan } from './spans/waterfall.js';
export type { LatencySummary } from './statistics/latency-summary.js';
export type { NamedStatistics, TypeStatistics } from './statistics/named-statistics.js';
export type { OperationCost } from './statistics/operation-cost.js';
export type { BaselineLatency } from './statistics/operation-history.js';
export type { WindowName } from './statistics/operation-statistics.js';
export type { PartName } from './statistics/operation-window.js';
export { keepLogLine } from './tracing/keep-log-line.js';
export { SlowSpanProcessor } from './tracing/slow-span.processor.js';
export { type TraceFields, traceFields } from './tracing/trace-fields.js';
export { type OptionFault, PerformanceOptionsError } from './validation/options-error.js';
