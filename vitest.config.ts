import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['zenml-source', 'node', 'default'] },
  ssr: { resolve: { conditions: ['zenml-source', 'node', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    globalSetup: ['packages/zenml/test/support/global-servers.ts'],
    // Real processes, real git and real npm on two cores: the limit only guards against a hang.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
}) as unknown
