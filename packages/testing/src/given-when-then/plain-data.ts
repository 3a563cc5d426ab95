/**
 * A value as the data it holds: objects of any class become plain ones, properties that are undefined are left out.
 * Storage keeps no more than that, so two events that agree in it are the same event.
 */
export function plainData(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainData)
  if (value instanceof Date || value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) return value
  const properties = Object.entries(value).filter(([, property]) => property !== undefined)
  return Object.fromEntries(properties.map(([name, property]) => [name, plainData(property)]))
}
