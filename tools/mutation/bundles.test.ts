import { describe } from 'vitest'

// See identity.test.ts.
describe('edits', async () => void (await import('../../packages/zenml/test/code/text-edits.test.ts')))
describe('bundles', async () => void (await import('../../packages/zenml/test/code/bundle.test.ts')))
describe('kept bundles', async () => void (await import('../../packages/zenml/test/code/bundle-cache.test.ts')))
