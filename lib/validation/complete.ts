/** Options with all values set. Unlike `Required`, it also excludes `undefined` with `exactOptionalPropertyTypes`. */
export type Complete<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> };
