// Packs each package as it would be published and asks two linters whether its users could resolve it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conclude, packages } from './workspace.mjs'

const tools = 'scripts/check/node_modules/.bin'
// The pnpm that runs this check: it writes real versions in the place of `workspace:` and `catalog:`.
const own = process.env.npm_execpath
const pnpm = own?.includes('pnpm') ? [process.execPath, own] : ['pnpm']
const faults = []
const tarballs = mkdtempSync(join(tmpdir(), 'narrative-pack-'))
try {
  for (const { name, folder, manifest } of packages) {
    run(name, ...pnpm, '--dir', folder, 'pack', '--pack-destination', tarballs)
    const tarball = readdirSync(tarballs).find((file) => file.endsWith(`-${name}-${manifest.version}.tgz`))
    if (tarball === undefined) continue
    run(name, `${tools}/publint`, 'run', join(tarballs, tarball), '--strict')
    run(name, `${tools}/attw`, join(tarballs, tarball), '--profile', 'esm-only', '--no-color', '--no-emoji')
  }
} finally {
  rmSync(tarballs, { recursive: true })
}
conclude(faults, `${packages.length} packages pack and resolve.`)

function run(name, command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) faults.push(`${name}: ${command} ${args.join(' ')}\n${stdout}${stderr}`)
}
