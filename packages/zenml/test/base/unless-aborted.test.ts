import { expect, it } from 'vitest'
import { unlessAborted } from '../../src/base/unless-aborted.ts'

const never = new Promise<never>(() => {})

it('gives what the work gives, or throws what it throws', async () => {
  const { signal } = new AbortController()
  expect(await unlessAborted(signal, Promise.resolve(7))).toBe(7)
  await expect(unlessAborted(signal, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

it('does not wait for work when the signal comes, or has come', async () => {
  const abort = new AbortController()
  const waiting = unlessAborted(abort.signal, never)
  abort.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
  await expect(unlessAborted(abort.signal, never)).rejects.toThrow('stopped')
  await expect(unlessAborted(abort.signal, Promise.resolve(7))).rejects.toThrow('stopped')
  await expect(unlessAborted(abort.signal, Promise.reject(new Error('broken')))).rejects.toThrow('stopped')
})
