// How lmdb and classic-level do with our access pattern (docs/adr/0015): events in a file, index in the tree. One JSON line per figure.
//   node bench/compare-local-stores.mjs lmdb|level window|rounds [events] [batch]

import { execSync } from 'node:child_process'
import { fdatasyncSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { open } from 'lmdb'

const [, , engine, order = 'window', N0 = '1000000', size0 = '20000'] = process.argv
const N = +N0,
  size = +size0,
  perStream = 10,
  streams = N / perStream
const dir = mkdtempSync(join(tmpdir(), 'narrative-compare-'))
const data = Buffer.alloc(420, 'abcdefghij')
function* seq() {
  if (order === 'window') {
    const W = 1000
    for (let base = 0; base < streams; base += W)
      for (let r = 0; r < perStream; r++) for (let i = 0; i < W; i++) yield base + i
  } else for (let r = 0; r < perStream; r++) for (let i = 0; i < streams; i++) yield (i * 7919) % streams
}
const uuid = (i) => {
  const h = (Math.imul(i, 2654435761) >>> 0).toString(16).padStart(8, '0')
  return `order-${h}-0000-4000-8000-${h}0000`
}
let s
if (engine === 'lmdb') {
  const db = open({
    path: `${dir}/x`,
    keyEncoding: 'string',
    encoding: 'binary',
    noSync: true,
    cache: false,
    maxReaders: 16,
  })
  s = {
    write: (m) => {
      let p
      for (const [k, v] of m) p = db.put(k, v)
      return p
    },
    sync: (m) =>
      db.transactionSync(() => {
        for (const [k, v] of m) db.putSync(k, v)
      }),
    get: (k) => db.getBinary(k),
    close: () => db.close(),
  }
} else {
  const db = new ClassicLevel(`${dir}/x`, {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    compression: false,
    writeBufferSize: 16 << 20,
    cacheSize: 64 << 20,
  })
  await db.open()
  s = {
    write: (m) => {
      const c = db.batch()
      for (const [k, v] of m) c.put(k, v)
      return c.write()
    },
    get: (k) => db.getSync(k),
    close: () => db.close(),
  }
}
const out = (name, value, unit) =>
  console.log(JSON.stringify({ engine, order, name, value: Math.round(value * 100) / 100, unit }))
const fd = openSync(`${dir}/log`, 'a+')
let pos = 0
let prev = Promise.resolve(),
  n = 0,
  pend = new Map(),
  bytes = []
const entry = (old, k) => {
  const b = Buffer.allocUnsafe((old?.length ?? 0) + 10 * k)
  if (old) b.set(old)
  return b
}
const flush = async () => {
  const m = pend
  pend = new Map()
  writeSync(fd, Buffer.concat(bytes))
  bytes = []
  await prev // reads see committed
  const w = []
  for (const [k, c] of m) {
    const old = s.get(k)
    const b = entry(old, c)
    let o = old?.length ?? 0
    for (; o < b.length; o += 10) {
      b.writeUIntBE(pos, o, 6)
      b.writeUInt32BE(Math.imul(pos, 2654435761) >>> 0, o + 6)
      pos += 420
    }
    w.push([k, b])
  }
  w.sort((a, b) => (a[0] < b[0] ? -1 : 1))
  prev = s.write(w)
}
let t = performance.now(),
  cpu = process.cpuUsage()
for (const no of seq()) {
  const id = uuid(no)
  pend.set(id, (pend.get(id) ?? 0) + 1)
  bytes.push(data)
  if (++n % size === 0) await flush()
}
await flush()
await prev
let el = (performance.now() - t) / 1000
let c = process.cpuUsage(cpu)
out('bulk events/s', N / el, 'events/s')
out('cpu us/event', (c.user + c.system) / N, 'us')
let x = 0
for (const bs of [1, 20, 200]) {
  const R = Math.ceil(4000 / Math.sqrt(bs))
  t = performance.now()
  cpu = process.cpuUsage()
  let sy = 0
  for (let i = 0; i < R; i++) {
    for (let j = 0; j < bs; j++) {
      x = (x + 104729) % streams
      const id = uuid(x)
      pend.set(id, (pend.get(id) ?? 0) + 1)
      bytes.push(data)
    }
    const t0 = performance.now()
    const p = flush()
    sy += performance.now() - t0
    await p
    await prev
  }
  el = performance.now() - t
  c = process.cpuUsage(cpu)
  out(`batch of ${bs}: us`, (el * 1000) / R, 'us')
  out(`  main in call`, (sy * 1000) / R, 'us')
  out(`  cpu us/event`, (c.user + c.system) / R / bs, 'us')
}
const rb = Buffer.alloc(4096)
t = performance.now()
const R = 20000
for (let i = 0; i < R; i++) {
  x = (x + 104729) % streams
  const h = s.get(uuid(x))
  for (let v = 0; v < 10; v++) readSync(fd, rb, 0, 420, h.readUIntBE(v * 10, 6))
}
out('stream of 10 read: us', ((performance.now() - t) * 1000) / R, 'us')
t = performance.now()
for (let i = 0; i < 100000; i++) {
  x = (x + 104729) % streams
  s.get(uuid(x))
}
out('index lookup: us', (performance.now() - t) / 100, 'us')
out('index MB', +execSync(`du -sk ${dir}/x`).toString().split('\t')[0] / 1024, 'MB')
const st = (() => {
  const t = readFileSync('/proc/self/status', 'utf8')
  const f = (k) => +/(\d+)/.exec(t.split('\n').find((l) => l.startsWith(k)))[1] / 1024
  return { rss: f('VmRSS'), anon: f('RssAnon') }
})()
out('rss MB', st.rss, 'MB')
out('rss anon MB', st.anon, 'MB')
await s.close()
t = performance.now()
if (engine === 'lmdb') {
  const db = open({ path: `${dir}/x`, keyEncoding: 'string', encoding: 'binary' })
  db.getBinary(uuid(3))
  out('open ms', performance.now() - t, 'ms')
  await db.close()
} else {
  const db = new ClassicLevel(`${dir}/x`, { keyEncoding: 'utf8', valueEncoding: 'buffer' })
  await db.open()
  db.getSync(uuid(3))
  out('open ms', performance.now() - t, 'ms')
  await db.close()
}
t = performance.now()
for (let i = 0; i < 200; i++) {
  writeSync(fd, data)
  fdatasyncSync(fd)
}
out('fdatasync ms', (performance.now() - t) / 200, 'ms')
rmSync(dir, { recursive: true })
