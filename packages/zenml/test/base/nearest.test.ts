import { expect, it } from 'vitest'
import { didYouMean, nearest } from '../../src/base/nearest.ts'

it.each([
  ['trian', 'train'],
  ['Train', 'train'],
  ['spilt', 'split'],
  ['evaluat', 'evaluate'],
])('takes %s for %s', (mistyped, meant) => {
  expect(nearest(mistyped, ['split', 'train', 'evaluate'])).toBe(meant)
})

it('suggests nothing that is far away', () => {
  expect(nearest('xyz', ['train', 'split'])).toBeUndefined()
  expect(didYouMean('xyz', ['train'])).toBe('')
  expect(didYouMean('tran', ['train'])).toBe(' Did you mean "train"?')
})
