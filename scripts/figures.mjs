// Puts the output of `pnpm bench` into the README: pnpm bench | tee figures.log && node scripts/figures.mjs figures.log
import { readFileSync, writeFileSync } from 'node:fs'

const lines = readFileSync(process.argv[2] ?? 0, 'utf8')
  .trimEnd()
  .split('\n')
const figures = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
if (figures.length === 0) throw new Error('There are no figures in this; give it what `pnpm bench` printed.')
const machine = lines.slice(lines.lastIndexOf('') + 1).filter((line) => !line.startsWith('Took'))

const number = (value) => value.toLocaleString('en-US')
const rows = figures.map(({ name, value, unit, reference, referenceValue, ratio, target }) => [
  `\`${name}\``,
  `${number(value)} ${unit}`,
  referenceValue === null ? '' : `${number(referenceValue)} ${unit}: ${reference}`,
  ratio === null ? '' : `${ratio}${target === null ? '' : ` (${target.replace('>=', '≥').replace('<=', '≤')})`}`,
])
const table = [
  ['', 'Narrative', 'Beside it, in the same run', 'Ratio (target)'],
  ['---', '---:', '---', '---:'],
  ...rows,
]
const text = [...table.map((row) => `| ${row.join(' | ')} |`), '', ...machine.map((line) => `- ${line}`)].join('\n')

const readme = readFileSync('README.md', 'utf8')
const marked = /<!-- figures -->[\s\S]*<!-- \/figures -->/
if (!marked.test(readme)) throw new Error('README.md has no place for figures.')
writeFileSync(
  'README.md',
  readme.replace(marked, () => `<!-- figures -->\n${text}\n<!-- /figures -->`),
)
