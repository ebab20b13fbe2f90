/** States and event types as ML Metadata numbers them (metadata_store.proto). */
export const executionState = { running: 2, complete: 3, failed: 4, cached: 5, canceled: 6 } as const
export const artifactState = { live: 2 } as const
export const eventType = { input: 3, output: 4 } as const
