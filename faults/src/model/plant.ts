// Plants a bug: copies the event store's sources, edits them, and loads the copy.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { kafkaEventStore } from '@narrative/kafka-eventstore'
import { transformSync } from 'esbuild'
import type { Plant } from './plants.js'

const sources = fileURLToPath(new URL('../../../packages/kafka-eventstore/src', import.meta.url))
/** Beside them, so that the copies find what the sources find. */
const copies = fileURLToPath(new URL('../../../packages/kafka-eventstore/.planted', import.meta.url))

/** The event store with this bug. */
export async function plant({ name, edits }: Plant): Promise<typeof kafkaEventStore> {
  const directory = join(copies, `${name}-${process.pid}`)
  try {
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(?!.*\.test[.-]).*\.ts$/.test(file),
    )
    for (const edit of edits) {
      if (!files.includes(edit.file)) throw new Error(`${name} no longer fits: there is no ${edit.file}.`)
    }
    for (const file of files) {
      const text = edits
        .filter((edit) => edit.file === file)
        .reduce(
          (text, edit) => {
            const parts = text.split(edit.from)
            if (parts.length === 2) return parts.join(edit.to)
            throw new Error(`${name} no longer fits ${file}: found ${parts.length - 1} times, not once: ${edit.from}`)
          },
          readFileSync(join(sources, file), 'utf8'),
        )
      const target = join(directory, file.replace(/\.ts$/, '.js'))
      mkdirSync(join(target, '..'), { recursive: true })
      writeFileSync(target, transformSync(text, { loader: 'ts', format: 'esm', target: 'node20' }).code)
    }
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
    const index = pathToFileURL(join(directory, 'index.js')).href
    return ((await import(/* @vite-ignore */ index)) as { kafkaEventStore: typeof kafkaEventStore }).kafkaEventStore
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
