/** What is used of the package, in one file that is loaded with the first source map. */
export { FlattenMap, originalPositionFor } from '@jridgewell/trace-mapping';
