// Numbers as people read them.

/** `12,000 events`, `1 event`. */
export function counted(count: number, thing: string): string {
  return `${number(count)} ${thing}${Math.round(count) === 1 ? '' : 's'}`
}

/** `12,000`. */
export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
