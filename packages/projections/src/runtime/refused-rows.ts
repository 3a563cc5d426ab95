// Finds out which events made the rows that a store refuses.
import type { Fold, RowName, Steps } from './fold.js'
import type { ChangedRow, TableStorage } from './table-storage.js'

/**
 * Folds until the store takes every row, leaving out the last event of each row that it refuses.
 * @param work folds the steps, of which those with a fault fail
 */
export async function foldWithoutRefused<R extends { readonly changed: ReadonlyMap<RowName, ChangedRow> }>(
  storage: TableStorage,
  fold: Fold,
  steps: Steps,
  work: () => R,
): Promise<R> {
  for (;;) {
    const result = work()
    const names = [...result.changed.keys()]
    const refused = await storage.refusals([...result.changed.values()])
    if (refused.size === 0) {
      // The next try begins anew: the store may take then what it refused now.
      for (const step of steps.all) if (step.fault?.byStore) step.fault = undefined
      return result
    }
    for (const [index, error] of refused) {
      const last = steps.all.findLast((step) => step.fault === undefined && fold.wrote(step, names[index]!))
      if (last !== undefined) last.fault = { error, byStore: true }
    }
  }
}
