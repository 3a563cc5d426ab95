// Refuses values that JSON would silently change, so that what a handler decided is what history says.

/** How strictly a value is looked at. */
export interface Strictness {
  /** Whether objects of classes count as unstorable: JSON keeps their properties and forgets their class. Default false. */
  readonly plain?: boolean
}

/**
 * The path of the first value inside `value` that would not survive JSON, with the reason; undefined when all do.
 * Strings, finite numbers, booleans, null, arrays and objects survive; a property that is undefined is simply absent.
 *
 * @param path what the value is called in the sentence; properties of an event are called by their names alone
 */
export function findUnstorable(value: unknown, strictness: Strictness = {}, path = ''): string | undefined {
  const name = path || 'the event'
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `${name} is ${value}, which JSON turns into null`
    case 'object':
      if (value === null) return undefined
      return Array.isArray(value) ? findInArray(value, strictness, path) : findInObject(value, strictness, path)
    default:
      return `${name} is a ${typeof value}, which JSON cannot hold`
  }
}

function findInArray(values: readonly unknown[], strictness: Strictness, path: string): string | undefined {
  for (let i = 0; i < values.length; i++) {
    const at = `${path}[${i}]`
    if (values[i] === undefined) return `${at} is undefined, which JSON turns into null`
    const found = findUnstorable(values[i], strictness, at)
    if (found !== undefined) return found
  }
  return undefined
}

function findInObject(value: object, strictness: Strictness, path: string): string | undefined {
  if (comesBackAsSomethingElse(value, strictness)) {
    const maker = Object.getPrototypeOf(value).constructor as { name: string } | undefined
    return `${path || 'the event'} is a ${maker?.name || 'strange object'}, which comes back from JSON as something else`
  }
  for (const key of Object.keys(value)) {
    const at = path === '' ? key : `${path}.${key}`
    if (key === '__proto__') return `${at} is not a name that may be used`
    const property = (value as Record<string, unknown>)[key]
    const found = property === undefined ? undefined : findUnstorable(property, strictness, at)
    if (found !== undefined) return found
  }
  return undefined
}

function comesBackAsSomethingElse(value: object, { plain = false }: Strictness): boolean {
  if (plain) {
    const prototype = Object.getPrototypeOf(value)
    return prototype !== Object.prototype && prototype !== null
  }
  return value instanceof Date || value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)
}
