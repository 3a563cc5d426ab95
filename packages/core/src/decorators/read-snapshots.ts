// How the state of a marked class becomes a snapshot: its fields, or what its own two methods say.
import type { SnapshotPolicy } from '../definition/aggregate-definition.js'
import type { Class } from '../messages/message-class.js'
import type { SnapshotState } from './aggregate-decorators.js'

type Fields = SnapshotState & Record<string, unknown>

/** @param every events between two snapshots; undefined when the class wants none */
export function readSnapshots(
  aggregate: Class,
  every: number | undefined,
): { readonly snapshots: SnapshotPolicy<Fields> | undefined; readonly faults: readonly string[] } {
  if (every === undefined) return { snapshots: undefined, faults: [] }
  const { toSnapshot, fromSnapshot } = aggregate.prototype as SnapshotState
  const faults: string[] = []
  if (!Number.isInteger(every) || every < 1) {
    faults.push(`snapshotEvery of ${aggregate.name} must be a whole number of events from 1, not ${every}.`)
  }
  if ((toSnapshot === undefined) !== (fromSnapshot === undefined)) {
    faults.push(`${aggregate.name} has one of toSnapshot and fromSnapshot: a snapshot needs both, or neither.`)
  } else if (toSnapshot === undefined && hasHiddenFields(aggregate)) {
    faults.push(
      `${aggregate.name} has #fields, which a snapshot cannot see: declare them \`private\`, or add toSnapshot() and fromSnapshot(data).`,
    )
  }
  const make = aggregate as unknown as new () => Fields
  return {
    faults,
    snapshots: {
      every,
      toData: (state) => (state.toSnapshot === undefined ? { ...state } : state.toSnapshot()),
      fromData(data) {
        const state = new make()
        if (state.fromSnapshot === undefined) assignFields(state, data as Fields)
        else state.fromSnapshot(data)
        return state
      },
    },
  }
}

/** JSON leaves out what is undefined; a fresh instance may have something else there. */
function assignFields(state: Fields, data: Fields): void {
  for (const name of Object.keys(state)) if (!(name in data)) state[name] = undefined
  Object.assign(state, data)
}

/** Fields that no reflection shows: as far as the source tells, compiled down or not. */
function hasHiddenFields(aggregate: Class): boolean {
  for (let each: unknown = aggregate; typeof each === 'function' && each !== Function.prototype; ) {
    if (/\bthis\.#[\w$]|\b__(classP|p)rivate(FieldGet|FieldSet|Get|Set|Add)\(this\b/.test(String(each))) return true
    each = Object.getPrototypeOf(each)
  }
  return false
}
