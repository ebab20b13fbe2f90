/** A value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** An object that JSON can say. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** Whether a value is a plain JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
