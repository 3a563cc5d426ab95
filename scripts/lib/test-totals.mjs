// What a test run came to, kept in a file so that `.ci/run` can close with it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const directory = '.narrative'
const totalsFile = `${directory}/test-totals.json`

/** Where vitest writes its own report, for a run of `pnpm test` under this process id. */
export const vitestReport = (pid) => `${directory}/vitest-${pid}.json`

/** Forgets the last run, so that its figures cannot be taken for those of a run that broke off. */
export function forgetTotals() {
  mkdirSync(directory, { recursive: true })
  rmSync(totalsFile, { force: true })
}

/** Reads vitest's report; a file that failed before its tests, or a run that broke off, counts as one failure. */
export function readVitestReport(file, exitCode) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
    rmSync(file)
  } catch {
    return { files: 0, passed: 0, failed: 1, skipped: 0 }
  }
  const failedAlone = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = report.numFailedTests + failedAlone
  return {
    files: report.testResults.length,
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

export function saveTotals(totals) {
  writeFileSync(totalsFile, JSON.stringify(totals))
}

/** The totals of the last run; one failure when there was none that ended. */
export function readTotals() {
  try {
    return JSON.parse(readFileSync(totalsFile, 'utf8'))
  } catch {
    return { lines: ['The tests did not run to their end.'], passed: 0, failed: 1, skipped: 0 }
  }
}
