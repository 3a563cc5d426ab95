// JSON values as a jsonb column keeps them: plain data, compared by content.

/**
 * The value as it would come back from JSON: the same object when it is plain data already, otherwise a plain copy. Frozen.
 *
 * @param forbidden characters no string may hold
 * @returns undefined when JSON cannot hold it
 */
export function toJson(value: unknown, forbidden: RegExp): unknown {
  if (isPlain(value)) return hasForbidden(value, forbidden) ? undefined : freeze(value)
  const text = stringify(value)
  if (text === undefined) return undefined
  const plain: unknown = JSON.parse(text)
  return hasForbidden(plain, forbidden) ? undefined : freeze(plain)
}

/** Freezes plain data through and through. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) freeze(item)
  return Object.freeze(value)
}

/** A circular structure or a bigint is simply not a JSON value: the caller says so with the column's name. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (Array.isArray(value)) return value.every(isPlain)
      return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain)
    default:
      return false
  }
}

function hasForbidden(value: unknown, forbidden: RegExp): boolean {
  if (typeof value === 'string') return forbidden.test(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((item) => hasForbidden(item, forbidden))
  for (const [name, item] of Object.entries(value)) {
    if (forbidden.test(name) || hasForbidden(item, forbidden)) return true
  }
  return false
}

/** Equality by content; the order of properties does not count, as in jsonb. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i]))
  }
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every(
    (name) =>
      Object.hasOwn(b, name) && jsonEqual((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  )
}
