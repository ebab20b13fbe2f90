type Chunk = import('@duckdb/node-api').DuckDBDataChunk

/**
 * The chunks of a result as it is streamed. DuckDB reads on in its own thread while the rows of a chunk are used, and does nothing more when this has
 * ended, so that the connection can be closed.
 */
export async function* duckdbChunks(
  result: { fetchChunk(): Promise<Chunk | null> },
  signal: AbortSignal | undefined,
): AsyncGenerator<Chunk> {
  let next = result.fetchChunk()
  try {
    for (;;) {
      signal?.throwIfAborted()
      const chunk = await next
      if (chunk === null || chunk.rowCount === 0) return
      next = result.fetchChunk()
      next.catch(() => undefined) // thrown where it is awaited
      yield chunk
    }
  } finally {
    await next.catch(() => undefined)
  }
}
