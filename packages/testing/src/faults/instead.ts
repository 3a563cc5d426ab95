/**
 * An object with some members in the place of its own. All others are its own, also those that a port gains some day; methods are called
 * on the object itself, where its private fields are.
 */
export function instead<T extends object, Wider extends T = T>(
  object: T,
  members: Partial<T> & Omit<Wider, keyof T>,
): Wider {
  const given = members as Record<PropertyKey, unknown>
  // Of a frozen object a proxy may not show other members: so of one that has none, and inherits them.
  return new Proxy(Object.create(object) as object, {
    get(_, name) {
      if (name in given) return given[name]
      const own: unknown = Reflect.get(object, name)
      return typeof own === 'function' ? own.bind(object) : own
    },
  }) as Wider
}
