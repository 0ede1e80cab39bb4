import type { Runtime, Session } from 'node:inspector';
import { runInThisContext } from 'node:vm';
import { processWide, processWideExpression } from '../async/process-wide.js';
import type { CodePosition } from './user-code.js';

// biome-ignore lint/complexity/noBannedTypes: functions are located, and none is called.
type AnyFunction = Function;

const LOCATED = 'located-functions';

/**
 * Where functions and classes are defined, in their order; undefined for those without a script. V8 alone knows it, so this
 * asks the inspector of the thread, which lists all scripts of the process: call it once for all functions. Runs no code of
 * them. Throws if there is no inspector.
 */
export function positionsOf(functions: readonly AnyFunction[]): (CodePosition | undefined)[] {
  // Some versions of Node abort the process instead of refusing the connection.
  if ('permission' in process && process.permission)
    throw new Error("Node's permission model forbids the inspector");
  const inspector = process.getBuiltinModule('node:inspector');
  const session = new inspector.Session();
  // The inspector evaluates in the process's first context; a test runner may run this code in another one.
  const held = processWide<{ functions: readonly AnyFunction[] }>(
    LOCATED,
    () => ({ functions: [] }),
    runInThisContext('globalThis') as object,
  );
  session.connect();
  try {
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    session.post('Debugger.enable');
    held.functions = functions;
    const expression = `${processWideExpression(LOCATED)}?.functions`;
    let list: string | undefined;
    // The inspector of the same thread answers within the call, so that no other code runs meanwhile.
    session.post('Runtime.evaluate', { expression, silent: true }, (_, answer) => {
      list = answer?.result.objectId;
    });
    const ids = new Map(
      propertiesOf(session, list).result?.map(({ name, value }) => [name, value?.objectId] as const),
    );
    return functions.map((_, index) => positionOf(session, ids.get(String(index)), urls));
  } finally {
    held.functions = [];
    session.disconnect();
  }
}

type Inspected = Partial<Runtime.GetPropertiesReturnType>;

function propertiesOf(session: Session, objectId: string | undefined): Inspected {
  let properties: Inspected = {};
  if (objectId === undefined) return properties;
  session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, answer) => {
    properties = answer ?? {};
  });
  return properties;
}

function positionOf(
  session: Session,
  objectId: string | undefined,
  urls: ReadonlyMap<string, string>,
): CodePosition | undefined {
  const location = propertiesOf(session, objectId).internalProperties?.find(
    ({ name }) => name === '[[FunctionLocation]]',
  )?.value?.value as { scriptId: string; lineNumber: number; columnNumber: number } | undefined;
  const url = location && urls.get(location.scriptId);
  if (location === undefined || url === undefined || url === '') return undefined;
  // The inspector counts from 0.
  return { url, line: location.lineNumber + 1, column: location.columnNumber + 1 };
}
