/** Options with every value given. Unlike `Required`, it leaves out `undefined` under `exactOptionalPropertyTypes`, too. */
export type Complete<Options> = { readonly [Name in keyof Options]-?: Exclude<Options[Name], undefined> };
