import { parseStackLine } from './stack-text.js';

/** The name of a frame's function, `Class.method` if V8 knows the class; undefined for an anonymous function. */
export function functionName(site: NodeJS.CallSite): string | undefined {
  const given = site.getFunctionName();
  if (given === null || given === '') return undefined;
  if (site.isConstructor()) return `new ${given}`;
  const type = site.getTypeName();
  // V8 names an assigned function by its path: `Catalog.list`, `exports.handler`.
  if (site.isToplevel() || type === null || type === 'Object' || given.includes('.')) return given;
  // Only the text of the frame names the class of a static method.
  if (type === 'Function') return parseStackLine(`at ${site.toString()}`)?.name ?? given;
  const name = given.replace(/^[gs]et /, '');
  const method = site.getMethodName();
  // Under another name, it is a function attached to an object, such as a timer. Under no name, it is most often a
  // method that a decorator has wrapped.
  return method === null || method === name ? `${type}.${name}` : name;
}
