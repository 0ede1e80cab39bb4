/** The stack at one moment. */
export interface CapturedStack {
  readonly sites: readonly NodeJS.CallSite[];
  /** The stack's text instead, where the process lets nobody ask V8 for call sites. */
  readonly text: string;
}

/** Deep enough for a request through an HTTP server, Nest, guards, interceptors and an ORM. */
const DEPTH = 100;

/** A function of any parameters, as `Error.captureStackTrace` takes one. */
// biome-ignore lint/complexity/noBannedTypes: nothing is known of it, and it is not called.
type Above = Function;

/**
 * The call sites below a function. V8 appends the frames that wait for these by `await`.
 * @param above the innermost frame that is left out, with those that it called
 */
export function captureStack(above?: Above): CapturedStack {
  const before = Error.prepareStackTrace;
  let sites: NodeJS.CallSite[] = [];
  // It may be frozen: `Reflect.set` then says no where an assignment would throw.
  const replaced = Reflect.set(Error, 'prepareStackTrace', (_error: Error, given: NodeJS.CallSite[]) => {
    sites = given;
    return '';
  });
  try {
    return { text: captureText(above), sites };
  } finally {
    if (replaced) Reflect.set(Error, 'prepareStackTrace', before);
  }
}

/** The stack below a function as this process formats it, mapped by what is installed for that. */
export function captureText(above?: Above): string {
  const before = Error.stackTraceLimit;
  // A formatter may ask for these.
  const holder: { name: string; message: string; stack?: unknown } = { name: 'Error', message: '' };
  const raised = Reflect.set(Error, 'stackTraceLimit', DEPTH);
  try {
    Error.captureStackTrace(holder, above);
    // Read now: V8 formats a stack when it is read, and with what is installed then.
    return typeof holder.stack === 'string' ? holder.stack : '';
  } finally {
    if (raised) Reflect.set(Error, 'stackTraceLimit', before);
  }
}
