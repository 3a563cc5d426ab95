// Puts the output of `pnpm faults`, of one run or several, into docs/reliability.md:
// pnpm faults --for 50m | tee faults.log && node scripts/reliability.mjs faults.log
import { readFileSync, writeFileSync } from 'node:fs'

const runs = process.argv.slice(2).map((file) => {
  const lines = readFileSync(file, 'utf8').split('\n')
  const told = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  if (!told.some(({ name }) => name === 'faults.facts')) throw new Error(`The run in ${file} has no end.`)
  return told
})
if (runs.length === 0) throw new Error('Name files with what `pnpm faults` printed.')
const named = (name) => runs.flatMap((lines) => lines.filter((line) => line.name === name))
const sum = (values) => values.reduce((total, value) => total + value, 0)
const value = (name) => sum(named(`faults.${name}`).map((line) => line.value))
const fact = (name) => sum(named('faults.facts').map((facts) => facts[name]))
const [{ machine }] = named('faults.begin')
const seeds = named('faults.begin').map(({ seed }) => seed)
const last = runs.map((lines) => lines.findLast(({ name }) => name === 'fault'))
const minutes = Math.round(sum(last.map(({ at }) => at)) / 60_000)
const fresh = sum(last.map(({ acknowledged }) => acknowledged))

/** Of the same fault in several runs: how often in all, and the longest gaps of any. */
function merged(totals) {
  const longest = (name) => Math.max(...totals.map((total) => total[name] ?? -1))
  return [
    totals[0].fault,
    sum(totals.map(({ times }) => times)),
    ...['longestGapAlone', 'longestGapInPairs'].map((name) => seconds(longest(name))),
  ]
}

const number = (count) => count.toLocaleString('en-US')
const seconds = (milliseconds) => (milliseconds < 0 ? '' : `${(milliseconds / 1000).toFixed(1)} s`)
const table = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n')

const faults = [...new Set(named('faults.total').map(({ fault }) => fault))].sort()
const which = seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} runs, seeds ${seeds.join(', ')}`
const text = [
  `${number(value('struck'))} faults in ${minutes} minutes (${which}), on ${machine}.`,
  '',
  table([
    ['What was told, and what is in the log', ''],
    ['---', '---:'],
    ['appends acknowledged', number(fresh)],
    ['acknowledgements, those of repeated commands included', number(fact('acknowledged'))],
    ['told a conflict', number(fact('conflicts'))],
    ['refused', number(fact('refused'))],
    ['left unknown', `${number(fact('unknown'))}, of which ${number(fact('unknownThere'))} are in the log`],
    ['reads', number(fact('reads'))],
    ['events', number(fact('events'))],
    ['claims', number(fact('claims'))],
    ['events under a claim that was over, which count nowhere', number(fact('voids'))],
  ]),
  '',
  table([
    ['Broken', ''],
    ['---', '---:'],
    ...['lost', 'duplicated', 'phantom', 'gapped', 'doubly-won'].map((name) => [name, String(value(name))]),
    ['promises of any kind', String(value('broken'))],
  ]),
  '',
  'The gap is the longest time for which any partition acknowledged nothing new while the fault lasted and until all',
  'partitions had healed.',
  '',
  table([
    ['Fault', 'Times', 'Longest gap alone', 'Longest gap in pairs'],
    ['---', '---:', '---:', '---:'],
    ...faults.map((fault) => merged(named('faults.total').filter((total) => total.fault === fault))),
  ]),
].join('\n')

const page = readFileSync('docs/reliability.md', 'utf8')
const marked = /<!-- faults -->[\s\S]*<!-- \/faults -->/
if (!marked.test(page)) throw new Error('docs/reliability.md has no place for faults.')
writeFileSync(
  'docs/reliability.md',
  page.replace(marked, () => `<!-- faults -->\n${text}\n<!-- /faults -->`),
)
