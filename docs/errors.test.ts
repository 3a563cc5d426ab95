// docs/errors.md and the table of error codes say the same, in both directions.
import { readFileSync } from 'node:fs'
import { errorCodes } from '@narrative/core'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('errors.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| (.+?) \| (.+) \|$/gm)]

test('every code is documented once, with its own words, and nothing else is', () => {
  const documented = rows.map(([, code, retryable, meaning]) => [code, { retryable: retryable === 'yes', meaning }])
  const codes = Object.entries(errorCodes)
  expect(documented.sort(byCode)).toEqual(codes.sort(byCode))
})

function byCode(a: unknown[], b: unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1
}
