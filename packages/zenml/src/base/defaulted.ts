/** Parameters as one writes them where each has a default. */
export type Defaulted<T> = { [K in keyof T]?: T[K] | undefined }
