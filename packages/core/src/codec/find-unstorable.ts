// Refuses values that JSON would silently change, so that what a handler decided is what history says.

/**
 * The path of the first value inside `value` that would not survive JSON, with the reason; undefined when all do.
 * Strings, finite numbers, booleans, null, arrays and objects survive; a property that is undefined is simply absent.
 */
export function findUnstorable(value: unknown, path = ''): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `${path || 'the event'} is ${value}, which JSON turns into null`
    case 'object':
      return value === null ? undefined : findInObject(value, path)
    default:
      return `${path || 'the event'} is a ${typeof value}, which JSON cannot hold`
  }
}

function findInObject(value: object, path: string): string | undefined {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found =
        value[i] === undefined
          ? `${path}[${i}] is undefined, which JSON turns into null`
          : findUnstorable(value[i], `${path}[${i}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (value instanceof Date || value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
    return `${path || 'the event'} is a ${value.constructor.name}, which comes back from JSON as something else`
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return `${path}.__proto__ is not a name an event may use`
    const property = (value as Record<string, unknown>)[key]
    if (property === undefined) continue
    const found = findUnstorable(property, path === '' ? key : `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}
