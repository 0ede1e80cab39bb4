/** The stack at one moment. */
export interface CapturedStack {
  readonly sites: readonly NodeJS.CallSite[];
  /** The text of the stack, if the process does not allow V8's call sites to be read. */
  readonly text: string;
}

/** Deep enough for a request through an HTTP server, Nest, guards, interceptors and an ORM. */
const DEPTH = 100;

/** Any function, as `Error.captureStackTrace` accepts it. */
// biome-ignore lint/complexity/noBannedTypes: its parameters are unknown, and it is not called.
type Above = Function;

/**
 * The call sites below a function. V8 appends the frames that await them.
 * @param above the innermost frame left out, along with the calls that it made
 */
export function captureStack(above?: Above): CapturedStack {
  const before = Error.prepareStackTrace;
  let sites: NodeJS.CallSite[] = [];
  // The constructor may be frozen: `Reflect.set` returns false where an assignment would throw.
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

/** The text of the stack below a function, formatted and mapped by the formatter that the process has installed. */
export function captureText(above?: Above): string {
  const before = Error.stackTraceLimit;
  // Formatters may read these.
  const holder: { name: string; message: string; stack?: unknown } = { name: 'Error', message: '' };
  const raised = Reflect.set(Error, 'stackTraceLimit', DEPTH);
  try {
    Error.captureStackTrace(holder, above);
    // Read now: V8 formats a stack when it is read, with the formatter installed at that time.
    return typeof holder.stack === 'string' ? holder.stack : '';
  } finally {
    if (raised) Reflect.set(Error, 'stackTraceLimit', before);
  }
}
