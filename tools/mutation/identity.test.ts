import { judge } from './judge.ts'

// The quickest judge comes first.
judge('digests', () => import('../../packages/zenml/test/base/digest.test.ts'))
judge('encoding', () => import('../../packages/zenml/test/base/canonical.test.ts'))
judge('identity', () => import('../../packages/zenml/test/fingerprint/identify.test.ts'))
judge('comparison', () => import('../../packages/zenml/test/fingerprint/compare.test.ts'))
judge('observation', () => import('../../packages/zenml/test/fingerprint/observed.test.ts'))
