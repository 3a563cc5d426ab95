// Small files, and names in directories, that must be on the disk before something else is.
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs'

/** Puts what was written to a file, or the names in a directory, on the disk. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Writes a small file, on the disk before this returns. */
export function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'w')
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
