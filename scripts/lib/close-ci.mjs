// The end of `.ci/run`: what was run, the totals alone on the last line, and the exit code.
import { readTotals } from './test-totals.mjs'

const [testsExit, checksExit] = process.argv.slice(2).map(Number)
const totals = readTotals()
let { passed, failed } = totals
// Broken before or after the tests: the exit code is what counts.
if (testsExit !== 0 && failed === 0) failed += 1
if (checksExit === 0) passed += 1
else failed += 1

console.log(`\n${totals.lines.join('\n')}`)
console.log(`Checks: ${checksExit === 0 ? 'passed' : 'FAILED'}\n`)
console.log(`${passed} passed, ${failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
