// Types of dist/serving-code.js, which tools/build.mjs makes: the code of a serving folder as texts, so that a step can put it there.

/** Text of `predict.mjs` for models of `trainLinear` and `trainTrees`. */
export declare const predict: string
/** Text of `serve.mjs`. */
export declare const serve: string
/** Versions of the packages whose code is in them. */
export declare const packages: { readonly [name: string]: string }
