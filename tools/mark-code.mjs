// Adds to each file of the build the calls that mark where its code begins and ends, see lib/code/own-code.ts. They are not
// in the sources, where they would only be noise.

/** The module that is called, within the package. */
export const MARKER = 'code/own-code.js';

/** The code of an ECMAScript module with its marks. No other file of the build has its number. */
export function withMarks(code, number) {
  // A program is no part of a bundle.
  if (code.startsWith('#!')) return code;
  const load = `import { markOwnCode as mark$, placeHere as place$ } from ${JSON.stringify(MARKER)};`;
  // Its first function: a bundler may move all of them before the code of the module.
  const begin = `function here$() { return place$(); } mark$(${number}, here$());`;
  return `${load} ${begin}\n${code}mark$(${number});\n`;
}
