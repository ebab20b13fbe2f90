// Types of dist/serving-code.js, which tools/build.mjs makes: the code of a serving folder as a text, so that a step can put it there.

/** Text of `predict.mjs` for networks of `train`. */
export declare const predict: string
/** Versions of the packages whose code is in it. */
export declare const packages: { readonly [name: string]: string }
