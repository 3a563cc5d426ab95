import { configDefaults, defineConfig } from 'vitest/config'

const path = (relative: string) => new URL(relative, import.meta.url).pathname
const source = (name: string) => path(`./packages/${name}/src/index.ts`)
const tests = (suffix: string) => ['packages', 'samples', 'docs', 'faults'].map((folder) => `${folder}/**/*${suffix}`)
// Set by scripts/test.mjs: files that need a service which cannot be had.
const skipped = process.env.NARRATIVE_SKIPPED_TESTS?.split(',') ?? []
const ignored = [...configDefaults.exclude, '**/dist/**']

export default defineConfig({
  // Legacy decorators, stated here because a file outside a tsconfig's `include` would otherwise not parse.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: {
    alias: {
      '@narrative/cli': source('cli'),
      '@narrative/core': source('core'),
      '@narrative/kafka-eventstore': source('kafka-eventstore'),
      '@narrative/local-store': source('local-store'),
      '@narrative/projections': source('projections'),
      '@narrative/testing': source('testing'),
    },
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 180_000,
    // A second, as vitest has it, is a bet on a machine with nothing else to do; this is for what never comes.
    expect: { poll: { timeout: 20_000 } },
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
          exclude: [...ignored, ...skipped],
          // Started only when a run holds a test of this project.
          globalSetup: path('./packages/testing/src/services/vitest-global-setup.ts'),
          // vitest says "test" here, and kafkajs then retries otherwise than it does in service.
          env: { NODE_ENV: 'production' },
          // Brokers started side by side on two cores are slow to start; the bound is for what hangs.
          testTimeout: 90_000,
          // Each of these keeps a broker busy, so more than two at once only wait for each other.
          maxWorkers: 2,
          // After the pure tests: those answer in seconds.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
