// Puts the output of `pnpm bench` into README.md and docs/figures.md: pnpm bench | tee figures.log && node scripts/figures.mjs figures.log
// Several logs: a group stands in one of them.
import { readFileSync, writeFileSync } from 'node:fs'

const logs = process.argv.slice(2).map((path) => readFileSync(path, 'utf8').trimEnd().split('\n'))
const figures = logs.flatMap((lines) => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)))
if (figures.length === 0) throw new Error('There are no figures in this; give it what `pnpm bench` printed.')
const machine = logs[0].slice(logs[0].lastIndexOf('') + 1).filter((line) => !line.startsWith('Took'))

// Whoever reads no further is to see what is held, where somebody else is quicker, and what a rebuild leaves out.
const named = ['dispatch.no-event.nestjs-cqrs', 'replay.postgres.ceiling', 'projections.emmett.skipped']
const foremost = figures.filter(({ name, target }) => target !== null || named.includes(name))

put('README.md', foremost)
put('docs/figures.md', figures)

function put(path, some) {
  const document = readFileSync(path, 'utf8')
  const marked = /<!-- figures -->[\s\S]*<!-- \/figures -->/
  if (!marked.test(document)) throw new Error(`${path} has no place for figures.`)
  const text = [...tableOf(some), '', ...machine.map((line) => `- ${line}`)].join('\n')
  writeFileSync(
    path,
    document.replace(marked, () => `<!-- figures -->\n${text}\n<!-- /figures -->`),
  )
}

function tableOf(some) {
  const rows = some.map(({ name, value, unit, reference, referenceValue, ratio, target }) => [
    `\`${name}\``,
    `${number(value)} ${unit}`,
    referenceValue === null ? '' : `${number(referenceValue)} ${unit}: ${reference}`,
    ratio === null ? '' : `${ratio}${target === null ? '' : ` (${target.replace('>=', '≥').replace('<=', '≤')})`}`,
  ])
  const head = [
    ['', 'Narrative', 'Beside it, in the same run', 'Ratio (target)'],
    ['---', '---:', '---', '---:'],
  ]
  return [...head, ...rows].map((row) => `| ${row.join(' | ')} |`)
}

function number(value) {
  return value.toLocaleString('en-US')
}
