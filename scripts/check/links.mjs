// Links between documents lead somewhere, and files that documents name exist.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { conclude, documents } from './workspace.mjs'

const faults = []
let count = 0

for (const document of documents) {
  const text = readFileSync(document, 'utf8').replace(/^```[\s\S]*?^```/gm, '')
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue
    const [path, anchor] = target.split('#')
    const file = path === '' ? document : normalize(join(dirname(document), path))
    expect(existsSync(file), document, `links to ${target}, which does not exist`)
    if (anchor && existsSync(file))
      expect(anchorsOf(file).includes(anchor), document, `links to ${target}: no such heading`)
  }
  for (const [, path] of text.matchAll(/`((?:packages|samples|bench|docs|scripts|\.ci)\/[\w./-]+)`/g)) {
    expect(existsSync(path), document, `names ${path}, which does not exist`)
  }
}

conclude(faults, `${count} links and file names, all lead somewhere.`)

function expect(holds, document, sentence) {
  count++
  if (!holds) faults.push(`${document} ${sentence}.`)
}

/** The anchors GitHub gives to the headings of a document. */
function anchorsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
