import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { workSlots } from '../../src/base/slots.ts'

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
