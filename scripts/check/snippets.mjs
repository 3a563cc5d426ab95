// Code in documents is code that compiles: every ```ts block is the copy of a region of a file under docs/snippets.
//
//   <!-- snippet docs/snippets/order.ts#aggregate -->        // #region aggregate
//   ```ts                                                    …
//   …                                                        // #endregion
//   ```
//
// Without `#region` the whole file is meant. `--write` copies the regions into the documents.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { conclude, documents } from './workspace.mjs'

const write = process.argv.includes('--write')
const faults = []
let count = 0

const block =
  /(?:<!-- snippet (?<file>[^\s#]+)(?:#(?<region>[\w-]+))? -->\n)?```(?:ts|typescript)\n(?<code>[\s\S]*?)```/g

for (const document of documents) {
  const text = readFileSync(document, 'utf8')
  const fresh = text.replace(block, (whole, ...rest) => {
    const { file, region, code } = rest.at(-1)
    const where = `${document}:${text.slice(0, rest.at(-3)).split('\n').length}`
    if (file === undefined) {
      faults.push(`${where}: a ts block that nothing compiles; put its code under docs/snippets and name it above.`)
      return whole
    }
    const wanted = quote(file, region, where)
    if (wanted === undefined) return whole
    count++
    if (code !== wanted && !write) {
      faults.push(`${where}: differs from ${file}; refresh with: node scripts/check/snippets.mjs --write`)
    }
    return `${whole.slice(0, whole.indexOf('```'))}\`\`\`ts\n${wanted}\`\`\``
  })
  if (write && fresh !== text) writeFileSync(document, fresh)
}

conclude(faults, `${count} snippets in ${documents.length} documents, all compiled code.`)

/** A region of a file, moved to the left margin, without the marks of regions inside it. */
function quote(file, region, where) {
  if (!existsSync(file)) {
    faults.push(`${where}: ${file} does not exist.`)
    return undefined
  }
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const inside = region === undefined ? lines : between(lines, region)
  if (inside === undefined) {
    faults.push(`${where}: ${file} has no region ${region} with an end.`)
    return undefined
  }
  const shown = inside.filter((line) => !/^\s*\/\/ #(end)?region\b/.test(line))
  const margin = Math.min(...shown.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)))
  return `${shown
    .map((line) => line.slice(margin))
    .join('\n')
    .trim()}\n`
}

function between(lines, region) {
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  if (start === -1) return undefined
  let depth = 0
  for (let end = start; end < lines.length; end++) {
    if (/^\s*\/\/ #region\b/.test(lines[end])) depth++
    if (/^\s*\/\/ #endregion\b/.test(lines[end]) && --depth === 0) return lines.slice(start + 1, end)
  }
  return undefined
}
