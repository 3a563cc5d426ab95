// `pnpm doctor`: which of Node, Docker, Java, Maven, Kafka and Postgres was found, and what will be used.
// Exits 0 when all tests and `pnpm demo --kafka` can run, else 1. `--json` for programs.
import { findServices } from '../packages/testing/dist/services/find-services.js'

const oldestNode = [20, 19]

const [major, minor] = process.versions.node.split('.').map(Number)
const nodeFits = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
const node = {
  name: 'Node',
  found: nodeFits,
  detail: nodeFits ? process.versions.node : `${process.versions.node} is older than ${oldestNode.join('.')}`,
}

const { findings, kafka, postgres } = await findServices()
const ok = nodeFits && !kafka.missing && !postgres.missing

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ ok, findings: [node, ...findings], kafka, postgres }, null, 2))
} else {
  console.log('Found')
  for (const { name, found, detail } of [node, ...findings]) {
    console.log(`  ${found ? 'yes' : 'no '}  ${name.padEnd(24)} ${detail}`)
  }
  console.log('\nUsed by pnpm test and pnpm demo --kafka')
  for (const [name, choice] of Object.entries({ Kafka: kafka, Postgres: postgres })) {
    console.log(
      `  ${name.padEnd(9)} ${choice.missing ? 'missing; any one of these helps:' : `${choice.detail} (${choice.source})`}`,
    )
    for (const line of choice.remedy ?? []) console.log(`    - ${line}`)
  }
  console.log(
    ok
      ? '\nEverything can run.'
      : '\npnpm demo and the pure tests run; tests on real services are skipped until the above is there.',
  )
}
process.exitCode = ok ? 0 : 1
