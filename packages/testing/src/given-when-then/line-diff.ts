// A diff of two texts, line by line: the failure message must be readable in any test runner.

/** The lines of both texts: `- ` stands in `expected` alone, `+ ` in `actual` alone, two spaces in both. */
export function lineDiff(expected: string, actual: string): string {
  const before = expected.split('\n')
  const after = actual.split('\n')
  const common = commonLengths(before, after)
  const lines: string[] = []
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push(`  ${before[i++]}`)
      j++
    } else if (i < before.length && (j === after.length || common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push(`- ${before[i++]}`)
    } else {
      lines.push(`+ ${after[j++]}`)
    }
  }
  return lines.join('\n')
}

/** `[i][j]`: how many lines the rests from `i` and from `j` have in common, in order. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const table = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const longest = Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
      table[i]![j] = before[i] === after[j] ? table[i + 1]![j + 1]! + 1 : longest
    }
  }
  return table
}
