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

/** A stack that V8 formats when it is read, with the formatter installed at that time. */
export interface HeldStack {
  stack?: unknown;
}

/**
 * Keeps the stack below a function.
 * @param above the innermost frame left out, along with the calls that it made
 * @param depth the maximum number of frames
 */
export function holdStack(above?: Above, depth = DEPTH): HeldStack {
  const before = Error.stackTraceLimit;
  // Formatters may read these.
  const held: HeldStack & { name: string; message: string } = { name: 'Error', message: '' };
  // The constructor may be frozen: `Reflect.set` returns false where an assignment would throw.
  const raised = Reflect.set(Error, 'stackTraceLimit', depth);
  try {
    Error.captureStackTrace(held, above);
    return held;
  } finally {
    if (raised) Reflect.set(Error, 'stackTraceLimit', before);
  }
}

/** The call sites of a stack whose text was not read. V8 appends the frames that await them. */
export function readStack(held: HeldStack): CapturedStack {
  const before = Error.prepareStackTrace;
  let sites: NodeJS.CallSite[] = [];
  const replaced = Reflect.set(Error, 'prepareStackTrace', (_error: Error, given: NodeJS.CallSite[]) => {
    sites = given;
    return '';
  });
  try {
    return { text: textOf(held), sites };
  } finally {
    if (replaced) Reflect.set(Error, 'prepareStackTrace', before);
  }
}

/** The text of a stack, formatted and mapped by the formatter that the process has installed. */
export function textOf({ stack }: HeldStack): string {
  return typeof stack === 'string' ? stack : '';
}
