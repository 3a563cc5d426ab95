// The wall clock of a process, which may jump. The monotonic clock goes on, as it does when somebody sets a machine's time.

const real = Date
let offset = 0

/** From now on the clock is off by so many milliseconds. */
export function setWallClock(milliseconds: number): void {
  offset = milliseconds
  globalThis.Date = offset === 0 ? real : Jumped
}

const Jumped = new Proxy(real, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [target.now() + offset] : given, newTarget),
  get: (target, name) => (name === 'now' ? () => target.now() + offset : Reflect.get(target, name)),
})
