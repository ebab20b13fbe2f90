import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapSlots, workSlots } from '../../src/base/slots.ts'

describe('work slots', () => {
  it('never let more than the limit go on at once, and end every piece of work, failed ones too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (limit, work) => {
          const slots = workSlots(limit)
          let going = 0
          let most = 0
          const ends = await Promise.allSettled(
            work.map((fails) =>
              slots(async () => {
                going++
                most = Math.max(most, going)
                await new Promise((resolve) => setImmediate(resolve))
                going--
                if (fails) throw new Error('failed')
              }),
            ),
          )
          expect(ends.map(({ status }) => status === 'rejected')).toEqual(work)
          expect(most).toBe(Math.min(limit, work.length))
        },
      ),
    )
  })
})

describe('work on many items', () => {
  it('gives the results in the order of the items, and never does more than the limit at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(3), { maxLength: 20 }), async (limit, waits) => {
        let going = 0
        let most = 0
        const results = await mapSlots(waits, limit, async (wait, index) => {
          most = Math.max(most, ++going)
          for (let turn = 0; turn < wait; turn++) await new Promise((resolve) => setImmediate(resolve))
          going--
          return index
        })
        expect(results).toEqual(waits.map((_, index) => index))
        expect(most).toBeLessThanOrEqual(limit)
      }),
    )
  })

  it('begins nothing more after a failure, and throws it when those under way have ended', async () => {
    const begun: number[] = []
    const ended: number[] = []
    const work = mapSlots([0, 1, 2, 3], 2, async (item) => {
      begun.push(item)
      await new Promise((resolve) => setImmediate(resolve))
      if (item === 0) throw new Error('the first')
      await new Promise((resolve) => setImmediate(resolve))
      ended.push(item)
    })
    await expect(work).rejects.toThrow('the first')
    expect(begun).toEqual([0, 1])
    expect(ended).toEqual([1])
  })
})
