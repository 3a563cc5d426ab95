// Where things are, for the checks. Importing it moves to the repository's root.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('../../', import.meta.url)))

/** The published packages: their folders and manifests. */
export const packages = readdirSync('packages').map((name) => ({
  name,
  folder: `packages/${name}`,
  manifest: JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')),
}))

/** The documents a reader may open. */
export const documents = ['.', 'docs', 'docs/adr', ...packages.map(({ folder }) => folder), 'samples/order-service']
  .flatMap((folder) => readdirSync(folder).map((name) => (folder === '.' ? name : `${folder}/${name}`)))
  .filter((path) => path.endsWith('.md') && !path.endsWith('CHANGELOG.md'))
  .sort()

/** Ends the check: with the faults found, a sentence each, or with a line that says what held. */
export function conclude(faults, held) {
  if (faults.length === 0) {
    console.log(held)
    return
  }
  for (const fault of faults) console.error(`- ${fault}`)
  process.exitCode = 1
}
