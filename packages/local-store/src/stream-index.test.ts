// The index is believed only when it is whole: nothing that can happen to its file may end in a wrong answer, or in lmdb.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StreamIndex } from './stream-index.js'

const root = mkdtempSync(join(tmpdir(), 'narrative-index-'))
const good = join(root, 'good')
const longStreams = 4
const streams = 1_500
const pageSize = 4096

type Harm = (file: Buffer) => Buffer

/** Streams of five events, some of 150: chunks, commands of chunks, freed pages. */
beforeAll(async () => {
  mkdirSync(good)
  const index = new StreamIndex(good)
  let place = 0
  for (let version = 1; version <= 150; version++) {
    const added = new Map()
    for (let n = 0; n < (version <= 5 ? streams : longStreams); n++) {
      place += 300
      added.set(`order-${n}`, [{ version, place, commandHash: (n * 7919 + version) >>> 0, bytes: undefined }])
    }
    const reach = { offset: version, claim: null, place, lastTime: version, newest: null }
    await index.add(added, [{ offset: version, place }], reach)
  }
  await index.close()
})
afterAll(() => rmSync(root, { recursive: true }))

test('an index that was only ever written is whole, and answers', async () => {
  const directory = join(root, 'copy')
  cpSync(good, directory, { recursive: true })
  expect(StreamIndex.doubt(directory)).toBeUndefined()
  await expectRight(directory)
})

test('of more streams than it remembers it tells the same as if it remembered none', async () => {
  const directory = join(root, 'many')
  mkdirSync(directory)
  const index = new StreamIndex(directory)
  const known = new Map<string, { readonly place: number; readonly commandHash: number }[]>()
  const recordsOf = (streamId: string) => known.get(streamId) ?? []
  const expectKnown = (streamId: string) => {
    const records = recordsOf(streamId)
    expect(index.version(streamId)).toBe(records.length)
    expect(index.places(streamId, 1, records.length + 1)).toEqual(records.map(({ place }) => place))
    const [last] = records.slice(-1)
    if (last !== undefined) expect(index.candidates(streamId, last.commandHash)).toContain(records.length)
  }
  const chosen = fc.sample(fc.nat(5_999), { numRuns: 30_000, seed: 20261121 }).map((n) => `order-${n}`)
  let place = 0
  for (let step = 1; step <= 50; step++) {
    for (const streamId of chosen.splice(0, 400)) expectKnown(streamId)
    const added = new Map()
    for (const streamId of chosen.splice(0, 200)) {
      const version = recordsOf(streamId).length + 1
      if (added.has(streamId)) continue
      place += 300
      const record = { place, commandHash: (place * 7919) >>> 0 }
      known.set(streamId, [...recordsOf(streamId), record])
      added.set(streamId, [{ ...record, version, bytes: undefined }])
    }
    await index.add(added, [], { offset: step, claim: null, place, lastTime: step, newest: null })
    for (const streamId of added.keys()) expectKnown(streamId)
  }
  for (const streamId of known.keys()) expectKnown(streamId)
  await index.close()
})

test('whatever happens to its file: it is in doubt, or it answers as before', async () => {
  const bytes = readFileSync(join(good, 'data.mdb'))
  const place = fc.nat(bytes.length - 1)
  const page = fc.nat(bytes.length / pageSize - 1).map((number) => number * pageSize)
  const harm = fc.oneof(
    fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 40 }).map(
      (flips): Harm =>
        (file) => {
          for (const [at, bit] of flips) file[at]! ^= 1 << bit
          return file
        },
    ),
    // Heads of pages: page number, kind, bounds, places of nodes.
    fc.array(fc.tuple(page, fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 5 }).map(
      (sets): Harm =>
        (file) => {
          for (const [at, within, value] of sets) file[at + within] = value
          return file
        },
    ),
    fc.tuple(page, page).map(
      ([a, b]): Harm =>
        (file) => {
          const kept = Buffer.from(file.subarray(a, a + pageSize))
          file.copyWithin(a, b, b + pageSize)
          kept.copy(file, b)
          return file
        },
    ),
    fc.tuple(page, page).map(
      ([a, b]): Harm =>
        (file) =>
          file.copyWithin(a, b, b + pageSize),
    ),
    fc.tuple(page, fc.constantFrom(0, 0x78, 0xff)).map(
      ([at, value]): Harm =>
        (file) =>
          file.fill(value, at, at + pageSize),
    ),
    place.map(
      (length): Harm =>
        (file) =>
          file.subarray(0, length),
    ),
  )
  let doubted = 0
  let number = 0
  await fc.assert(
    fc.asyncProperty(harm, async (apply) => {
      const directory = join(root, `bad-${number++}`)
      mkdirSync(directory)
      writeFileSync(join(directory, 'data.mdb'), apply(Buffer.from(bytes)))
      if (StreamIndex.doubt(directory) !== undefined) doubted++
      else await expectRight(directory)
      rmSync(directory, { recursive: true })
    }),
    { numRuns: 200 },
  )
  expect(doubted).toBeGreaterThan(60)
}, 60_000)

test('nothing but noise, a file that is too short, and none', () => {
  const directory = join(root, 'noise')
  cpSync(good, directory, { recursive: true })
  const path = join(directory, 'data.mdb')
  truncateSync(path, readFileSync(path).length - pageSize)
  expect(StreamIndex.doubt(directory)).toContain('too short')
  writeFileSync(path, 'x'.repeat(20_000))
  expect(StreamIndex.doubt(directory)).toContain('no index')
  writeFileSync(path, '')
  expect(StreamIndex.doubt(directory)).toContain('too short')
})

async function expectRight(directory: string): Promise<void> {
  const index = new StreamIndex(directory)
  for (let n = 0; n < streams; n++) {
    const version = n < longStreams ? 150 : 5
    expect(index.version(`order-${n}`)).toBe(version)
    expect(index.places(`order-${n}`, 1, version)).toHaveLength(version)
    expect(index.candidates(`order-${n}`, (n * 7919 + 3) >>> 0)).toEqual([3])
  }
  // It can go on, too: pages that are free are not the ones in use.
  const added = new Map()
  for (let n = longStreams; n < streams; n += 3) {
    added.set(`order-${n}`, [{ version: 6, place: 7, commandHash: 9, bytes: undefined }])
  }
  await index.add(added, [], { ...index.reach!, offset: 1_000 })
  await index.close()
  expect(StreamIndex.doubt(directory)).toBeUndefined()
}
