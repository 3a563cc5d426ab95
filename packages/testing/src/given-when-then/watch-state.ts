// Finds command handlers that change the state themselves: it would be lost with the process, no event tells of it.
import { inspect } from 'node:util'
import type { AggregateDefinition, Decision } from '@narrative/core'

/** The state as text, before and after a decision that changed it. */
export interface StateChange {
  readonly before: string
  readonly after: string
}

/** The same definition, which reports when deciding changed the state. It sees all but `#private` fields. */
export function watchState(
  definition: AggregateDefinition,
  changed: (change: StateChange) => void,
): AggregateDefinition {
  return Object.assign(Object.create(definition) as AggregateDefinition, {
    decide(state: unknown, command: object, context: never): Decision | Promise<Decision> {
      const before = textOf(state)
      const compare = () => {
        const after = textOf(state)
        if (after !== before) changed({ before, after })
      }
      let decision: Decision | Promise<Decision>
      try {
        decision = definition.decide(state, command, context)
      } catch (error) {
        compare()
        throw error
      }
      if (decision instanceof Promise) return decision.finally(compare)
      compare()
      return decision
    },
  })
}

function textOf(state: unknown): string {
  return inspect(state, {
    depth: null,
    compact: false,
    customInspect: false,
    maxArrayLength: null,
    maxStringLength: null,
  })
}
