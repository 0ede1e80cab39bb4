import { parseStackLine } from './stack-text.js';

/** The name of what runs in a frame, `Class.method` where V8 knows the class; nothing for an anonymous function. */
export function functionName(site: NodeJS.CallSite): string | undefined {
  const given = site.getFunctionName();
  if (given === null || given === '') return undefined;
  if (site.isConstructor()) return `new ${given}`;
  const type = site.getTypeName();
  // A function that V8 saw assigned is called by its path already: `Catalog.list`, `exports.handler`.
  if (site.isToplevel() || type === null || type === 'Object' || given.includes('.')) return given;
  // Only its text says which class a static method belongs to.
  if (type === 'Function') return parseStackLine(`at ${site.toString()}`)?.name ?? given;
  const name = given.replace(/^[gs]et /, '');
  const method = site.getMethodName();
  // Held under another name, it is a function lent to an object, such as a timer. Held under none, it is most often
  // a method that a decorator has wrapped.
  return method === null || method === name ? `${type}.${name}` : name;
}
