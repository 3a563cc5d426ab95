import { configDefaults, defineConfig } from 'vitest/config'

const path = (relative: string) => new URL(relative, import.meta.url).pathname
const source = (name: string) => path(`./packages/${name}/src/index.ts`)
const tests = (suffix: string) => ['packages', 'samples', 'docs'].map((folder) => `${folder}/**/*${suffix}`)
const ignored = [...configDefaults.exclude, '**/dist/**']

export default defineConfig({
  // Legacy decorators, stated here because a file outside a tsconfig's `include` would otherwise not parse.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: {
    alias: {
      '@narrative/core': source('core'),
      '@narrative/kafka-eventstore': source('kafka-eventstore'),
      '@narrative/projections': source('projections'),
      '@narrative/testing': source('testing'),
    },
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 180_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: tests('.test.ts'), exclude: [...ignored, '**/*.int.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: tests('.int.test.ts'),
          exclude: ignored,
          // Started only when a run holds a test of this project.
          globalSetup: path('./packages/testing/src/services/vitest-global-setup.ts'),
          // vitest says "test" here, and kafkajs then retries otherwise than it does in service.
          env: { NODE_ENV: 'production' },
        },
      },
    ],
  },
})
