import { judge } from './judge.ts'

judge('edits', () => import('../../packages/zenml/test/code/text-edits.test.ts'))
judge('sealing', () => import('../../packages/zenml/test/code/seal-bundle.test.ts'))
judge('bundles', () => import('../../packages/zenml/test/code/bundle.test.ts'))
