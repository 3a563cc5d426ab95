// Reads the file of an lmdb tree as bytes, and says whether it is whole: lmdb itself believes its pages, and a damaged
// one ends the process. So it is given a file only after this has looked at every page that it could reach.
//
// The layout is that of the lmdb this package depends on (mdb.c: MDB_page_header, MDB_node, MDB_meta; little-endian,
// 64 bit). Of any other layout this says that it is damaged; then the index is made anew, and a test notices.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const pageHead = 24
const nodeHead = 8
const flags = { branch: 1, leaf: 2, overflow: 4, meta: 8 }
const bigData = 1
const magic = 0xbeef_c0de
const format = 2
/** Of the tree of free pages. */
const integerKeys = 8
const largestMap = 2 ** 44
const noPage = 0xffff_ffff_ffff_ffffn

/** One of the two trees of a file: the free pages, and the data. */
interface Tree {
  readonly depth: number
  /** Pages of branches, of leaves, and of large values. */
  readonly pages: readonly number[]
  readonly entries: number
  readonly root: number
}

type Visit = (key: Buffer, value: Buffer) => void
type Compare = (a: Buffer, b: Buffer) => number

class Damage extends Error {}

/**
 * Walks through the data of an lmdb file, in the order of the keys.
 *
 * @param visit gets each key and value, as views that hold until it returns
 * @returns why the file is not whole; undefined when it is
 */
export function checkTree(path: string, visit: Visit): string | undefined {
  const fd = openSync(path, 'r')
  try {
    new TreeFile(fd).check(visit)
    return undefined
  } catch (error) {
    // Lengths that make no sense end in a RangeError: as good an answer as any.
    if (error instanceof Damage || error instanceof RangeError) return error.message
    throw error
  } finally {
    closeSync(fd)
  }
}

class TreeFile {
  readonly #fd: number
  readonly #size: number
  #pageSize = 4096
  #pages = 0
  #transaction = 0
  /** A byte per page: whether something has it. */
  #taken = new Uint8Array(0)
  /** Pages of branches, of leaves, and of large values in the tree that is walked through. */
  #counts: number[] = []
  /** One buffer per level of the tree. */
  readonly #levels: Buffer[] = []

  constructor(fd: number) {
    this.#fd = fd
    this.#size = fstatSync(fd).size
  }

  check(visit: Visit): void {
    const { free, main, lastPage, transaction } = this.#meta()
    this.#transaction = transaction
    this.#pages = lastPage + 1
    if (this.#pages * this.#pageSize > this.#size) throw new Damage('its file is too short')
    this.#taken = new Uint8Array(this.#pages)
    this.#taken.fill(1, 0, 2)
    this.#walk(main, visit)
    const lists: Buffer[] = []
    this.#walk(free, (_, list) => lists.push(Buffer.from(list)), compareNumbers)
    for (const list of lists) this.#takeFree(list)
  }

  /** The newer of the two roots, each on a page of its own. */
  #meta() {
    const first = this.#read(0, 512)
    if (first.readUInt32LE(pageHead) !== magic) throw new Damage('it is no index')
    this.#pageSize = first.readUInt32LE(pageHead + 24)
    if (this.#pageSize < 512 || this.#pageSize > 65_536) throw new Damage('its pages have no size')
    const metas = [first, this.#read(this.#pageSize, 512)].map((page, number) => {
      const at = pageHead + 24
      const mapSize = long(page, pageHead + 16)
      const sound =
        long(page, 0) === number &&
        page.readUInt32LE(16) === flags.meta * 2 ** 16 &&
        page.readUInt32LE(pageHead) === magic &&
        page.readUInt32LE(pageHead + 4) === format &&
        long(page, pageHead + 8) === 0 && // no address of its own
        mapSize % this.#pageSize === 0 &&
        mapSize < largestMap &&
        page.readUInt32LE(at) === this.#pageSize &&
        page.readUInt16LE(at + 4) === integerKeys &&
        page.readUInt32LE(at + 48) === 0 &&
        page.readUInt16LE(at + 52) === 0
      if (!sound) throw new Damage(`its root ${number} is damaged`)
      const lastPage = long(page, at + 96)
      if ((lastPage + 1) * this.#pageSize > mapSize) throw new Damage(`its root ${number} is damaged`)
      return { free: treeAt(page, at), main: treeAt(page, at + 48), lastPage, transaction: long(page, at + 104) }
    })
    return metas[0]!.transaction >= metas[1]!.transaction ? metas[0]! : metas[1]!
  }

  #walk(tree: Tree, visit: Visit, compare: Compare = Buffer.compare): void {
    if (tree.depth === 0) {
      if (tree.entries !== 0) throw new Damage('a tree without a root has entries')
      return
    }
    let entries = 0
    this.#counts = [0, 0, 0]
    this.#page(tree.root, tree.depth, compare, undefined, undefined, (key, value) => {
      entries++
      visit(key, value)
    })
    if (entries !== tree.entries) throw new Damage(`it has ${entries} entries instead of ${tree.entries}`)
    if (tree.pages.some((count, kind) => count !== this.#counts[kind])) throw new Damage('pages are missing')
  }

  #page(
    number: number,
    depth: number,
    compare: Compare,
    from: Buffer | undefined,
    to: Buffer | undefined,
    visit: Visit,
  ): void {
    this.#take(number, 1)
    this.#counts[depth > 1 ? 0 : 1]!++
    this.#levels[depth] ??= Buffer.allocUnsafe(this.#pageSize)
    const page = this.#levels[depth]!
    this.#fill(page, number * this.#pageSize)
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    const kind = depth > 1 ? flags.branch : flags.leaf
    const room = this.#pageSize - pageHead
    if (!this.#hasHead(page, number, kind) || lower % 2 !== 0 || lower === 0 || lower > upper || upper > room) {
      throw new Damage(`page ${number} is damaged`)
    }
    const count = lower / 2
    const nodes = Array.from({ length: count }, (_, index) => this.#node(page, index, upper, depth > 1))
    // A key of a branch is where its page begins; the first one has none.
    const first = depth > 1 ? 1 : 0
    for (let index = first; index < count; index++) {
      const { key } = nodes[index]!
      const before = index === first ? undefined : nodes[index - 1]!.key
      const inOrder =
        (from === undefined || compare(from, key) <= 0) &&
        (to === undefined || compare(key, to) < 0) &&
        (before === undefined || compare(before, key) < 0)
      if (!inOrder) throw new Damage('its keys are not in order')
    }
    for (const [index, node] of nodes.entries()) {
      if (depth === 1) visit(node.key, node.big ? this.#overflow(node.value, node.size) : node.value)
      else this.#page(node.child, depth - 1, compare, index === 0 ? from : node.key, nodes[index + 1]?.key ?? to, visit)
    }
  }

  #node(page: Buffer, index: number, upper: number, branch: boolean) {
    const at = pageHead + page.readUInt16LE(pageHead + index * 2)
    if (at < pageHead + upper || at + nodeHead > this.#pageSize) throw new Damage('a node is outside of its page')
    const low = page.readUInt32LE(at)
    const nodeFlags = page.readUInt16LE(at + 4)
    const keyAt = at + nodeHead
    const valueAt = keyAt + page.readUInt16LE(at + 6)
    const big = !branch && nodeFlags === bigData
    if (!branch && !big && nodeFlags !== 0) throw new Damage('a node is of an unknown kind')
    const valueEnd = valueAt + (branch ? 0 : big ? 24 : low)
    if (valueEnd > this.#pageSize) throw new Damage('a node reaches past its page')
    const key = page.subarray(keyAt, valueAt)
    return { key, value: page.subarray(valueAt, valueEnd), size: low, big, child: low + nodeFlags * 2 ** 32 }
  }

  /** A value that has pages of its own. */
  #overflow(place: Buffer, size: number): Buffer {
    const number = long(place, 0)
    const pages = Math.floor((pageHead - 1 + size) / this.#pageSize) + 1
    this.#take(number, pages)
    this.#counts[2]! += pages
    const bytes = this.#read(number * this.#pageSize, pageHead + size)
    const sound =
      this.#hasHead(bytes, number, flags.overflow) &&
      bytes.readUInt32LE(20) === pages &&
      long(place, 8) <= this.#transaction &&
      long(place, 16) === pages
    if (!sound) throw new Damage(`page ${number} is damaged`)
    return bytes.subarray(pageHead)
  }

  /** A page of a later transaction would count as one that may be written to, through a map that may not. */
  #hasHead(page: Buffer, number: number, kind: number): boolean {
    return long(page, 0) === number && long(page, 8) <= this.#transaction && page.readUInt32LE(16) === kind * 2 ** 16
  }

  /** A list of free pages: a count, and pages; a negative number is the length of the run that begins at the next one. */
  #takeFree(list: Buffer): void {
    const count = long(list, 0)
    if ((count + 1) * 8 > list.length) throw new Damage('a list of free pages is damaged')
    for (let index = 1; index <= count; index++) {
      const entry = list.readBigInt64LE(index * 8)
      if (entry === 0n) continue
      if (entry > 0n) this.#take(Number(entry), 1)
      else this.#take(Number(list.readBigInt64LE(++index * 8)), Number(-entry))
    }
  }

  #take(number: number, count: number): void {
    if (!(number >= 2 && count >= 1 && number + count <= this.#pages)) throw new Damage(`there is no page ${number}`)
    for (let at = number; at < number + count; at++) {
      if (this.#taken[at] !== 0) throw new Damage(`page ${at} is in two places`)
      this.#taken[at] = 1
    }
  }

  #read(place: number, length: number): Buffer {
    if (length > this.#size) throw new Damage('its file is too short')
    const bytes = Buffer.allocUnsafe(length)
    this.#fill(bytes, place)
    return bytes
  }

  #fill(bytes: Buffer, place: number): void {
    if (readSync(this.#fd, bytes, 0, bytes.length, place) < bytes.length) throw new Damage('its file is too short')
  }
}

function treeAt(page: Buffer, at: number): Tree {
  const depth = page.readUInt16LE(at + 6)
  const root = page.readBigUInt64LE(at + 40)
  if (depth > 32 || (depth === 0) !== (root === noPage)) throw new Damage('a root is damaged')
  const pages = [8, 16, 24].map((place) => long(page, at + place))
  return { depth, pages, entries: long(page, at + 32), root: Number(root) }
}

/** Exact up to 2^53, and no valid number of anything beyond. */
function long(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32
}

/** Keys of the free pages are numbers. */
function compareNumbers(a: Buffer, b: Buffer): number {
  return long(a, 0) - long(b, 0)
}
