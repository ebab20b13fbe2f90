import { describe } from 'vitest'

// One file for all, because Vitest's way into a file costs more than most of these tests. The quickest judge comes first.
describe('digests', async () => void (await import('../../packages/zenml/test/base/digest.test.ts')))
describe('encoding', async () => void (await import('../../packages/zenml/test/base/canonical.test.ts')))
describe('identity', async () => void (await import('../../packages/zenml/test/fingerprint/identify.test.ts')))
describe('comparison', async () => void (await import('../../packages/zenml/test/fingerprint/compare.test.ts')))
describe('observation', async () => void (await import('../../packages/zenml/test/fingerprint/observed.test.ts')))
