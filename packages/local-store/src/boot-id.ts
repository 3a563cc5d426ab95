// Which run of the machine this is: what was not synced to the disk is only there while the machine stays up.
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** Different after every start of the machine. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    // Not Linux. Ten minutes of grain, for clocks that are set; a wrong guess costs making the index anew.
    return `up since ${Math.round((Date.now() / 1000 - uptime()) / 600)}`
  }
}
