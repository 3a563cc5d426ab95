// Plants a bug: copies the event store's sources, edits them, and loads the copy.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import type { Edit, Plant } from './plants.js'
import { type Subject, sound } from './subject.js'

const packages = fileURLToPath(new URL('../../../packages', import.meta.url))

/** The event store and the application with this bug. */
export async function plant({ name, edits }: Plant): Promise<Subject> {
  const parts = await Promise.all(
    ['core', 'kafka-eventstore'].map((packageName) => {
      const own = edits.filter((edit) => edit.file.startsWith(`${packageName}/`))
      return own.length === 0 ? sound : load(packageName, name, own)
    }),
  )
  const [{ createApplication }, { kafkaEventStore }] = parts as [Subject, Subject]
  return { createApplication, kafkaEventStore }
}

/** What a package exports, with these edits made to a copy of its sources: they lie beside them and find what they find. */
async function load(packageName: string, plantName: string, edits: readonly Edit[]): Promise<unknown> {
  const sources = join(packages, packageName, 'src')
  const directory = join(packages, packageName, '.planted', `${plantName}-${process.pid}`)
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^(?!.*\.test[.-]).*\.ts$/.test(file),
  )
  for (const { file } of edits) {
    if (!files.some((name) => file === `${packageName}/${name}`)) throw new Error(`There is no ${file}.`)
  }
  try {
    for (const file of files) {
      const text = edits
        .filter((edit) => edit.file === `${packageName}/${file}`)
        .reduce(edited, readFileSync(join(sources, file), 'utf8'))
      const target = join(directory, file.replace(/\.ts$/, '.js'))
      mkdirSync(join(target, '..'), { recursive: true })
      writeFileSync(target, transformSync(text, { loader: 'ts', format: 'esm', target: 'node20', tsconfigRaw }).code)
    }
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
    return await import(/* @vite-ignore */ pathToFileURL(join(directory, 'index.js')).href)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } }

function edited(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from)
  if (parts.length === 2) return parts.join(to)
  throw new Error(`An edit no longer fits ${file}: found ${parts.length - 1} times, not once: ${from}`)
}
