import { meter } from './meter.js';

/** The parts of this package whose cost is measured by its own calls. */
export type MeasuredPart =
  | 'requests'
  | 'spans'
  | 'counting'
  | 'drivers'
  | 'providers'
  | 'attribution'
  | 'profiling'
  | 'waterfall'
  | 'values'
  | 'explaining'
  | 'logs'
  | 'timers'
  | 'export';

/** The pieces of code that are measured: those of one part may call each other only through another part. */
export const COST = {
  requestStart: meter.point('requests'),
  handler: meter.point('requests'),
  requestEnd: meter.point('requests'),
  spanStart: meter.point('spans'),
  spanEnd: meter.point('spans'),
  counting: meter.point('counting'),
  queryStart: meter.point('drivers'),
  queryEnd: meter.point('drivers'),
  callStart: meter.point('drivers'),
  callEnd: meter.point('drivers'),
  provider: meter.point('providers'),
  stack: meter.point('attribution'),
  profiling: meter.point('profiling'),
  waterfall: meter.point('waterfall'),
  values: meter.point('values'),
  workStart: meter.point('explaining'),
  workEnd: meter.point('explaining'),
  explaining: meter.point('explaining'),
  logLine: meter.point('logs'),
  heartbeat: meter.point('timers'),
  timers: meter.point('timers'),
  encoding: meter.point('export'),
  export: meter.point('export'),
} as const;
