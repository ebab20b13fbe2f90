import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['zenml-source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['zenml-source', 'node', 'import', 'default'] } },
  test: {
    include: [`tools/mutation/${process.env['ZENML_MUTATION']}.test.ts`],
    setupFiles: ['tools/mutation/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
}) as unknown
