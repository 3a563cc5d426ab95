import { defineConfig } from 'vitest/config'

const source = (name: string) => new URL(`./packages/${name}/src/index.ts`, import.meta.url).pathname

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
    include: ['packages/*/src/**/*.test.ts', 'samples/*/src/**/*.test.ts', 'docs/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 180_000,
  },
})
