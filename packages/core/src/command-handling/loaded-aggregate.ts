// What loading an aggregate gives, from whatever it was loaded.

/** An aggregate as of a version. */
export interface LoadedAggregate<State = any> {
  readonly state: State
  /** 0 when there is no stream. */
  readonly version: number
}
