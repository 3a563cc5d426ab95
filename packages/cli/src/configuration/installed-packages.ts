// Which copies of Narrative's packages a project uses: they are released together, and belong together.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Finding } from '@narrative/core'

/** Looks from the configuration file upwards, as Node does. */
export function installedPackages(file: string): Finding[] {
  const versions = new Map<string, string>()
  for (let directory = dirname(realpathSync(file)); ; directory = dirname(directory)) {
    const scope = join(directory, 'node_modules', '@narrative')
    for (const name of existsSync(scope) ? readdirSync(scope) : []) {
      const manifest = join(scope, name, 'package.json')
      if (!versions.has(name) && existsSync(manifest))
        versions.set(name, JSON.parse(readFileSync(manifest, 'utf8')).version)
    }
    if (directory === dirname(directory)) break
  }
  const list = [...versions].map(([name, version]) => `${name} ${version}`).join(', ')
  const subject = '@narrative packages'
  if (new Set(versions.values()).size <= 1) return [{ state: 'ok', subject, detail: list || 'none in node_modules' }]
  return [{ state: 'fault', subject, detail: `${list}: they are released together; install the same version of all.` }]
}
