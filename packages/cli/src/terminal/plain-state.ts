// A state as JSON: what JSON has no word for is put into the words it has.

/** Maps become objects (or pairs, when their keys are no strings), sets lists, big integers strings. */
export function plainState(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  if (value instanceof Set) return [...value].map(plainState)
  if (value instanceof Map) {
    const pairs = [...value].map(([key, each]) => [key, plainState(each)] as const)
    return pairs.every(([key]) => typeof key === 'string') ? Object.fromEntries(pairs) : pairs
  }
  if (Array.isArray(value)) return value.map(plainState)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainState(each)]))
}
