// A view that follows the log on whichever instance lives, with its checkpoints kept apart, from the first event on.
import { type Checkpoint, isNarrativeError } from '@narrative/core'
import type { Dump } from '../checker/evidence.js'
import { marksIn } from './order.js'
import { InstanceDied } from './virtual-time.js'
import type { Instance, World } from './world.js'

export class View {
  readonly #world: World
  readonly #checkpoints = new Map<string, Checkpoint>()
  readonly #streams: Record<string, string[]> = {}
  readonly #stop = new AbortController()

  constructor(world: World) {
    this.#world = world
  }

  /** Follows until it is stopped. */
  async run(): Promise<void> {
    const { time } = this.#world
    while (!this.#stop.signal.aborted) {
      const instance = this.#world.anyInstance()
      if (instance === undefined) await time.sleep(200)
      else await time.ask(instance.name, () => this.#follow(instance)).catch(orDied)
    }
  }

  /** What it holds when it has read so far, or after a minute. */
  async dump(ends: Readonly<Record<string, number>>): Promise<Dump> {
    const { time } = this.#world
    const reached = (name: string) => (this.#checkpoints.get(name)?.offset ?? 0) >= ends[name]!
    for (let waited = 0; waited < 60 && !Object.keys(ends).every(reached); waited++) await time.sleep(1_000)
    this.#stop.abort()
    return { name: 'view', offsets: ends, streams: this.#streams }
  }

  async #follow({ app }: Instance): Promise<void> {
    const from = [...this.#checkpoints.values()]
    const { signal } = this.#stop
    for await (const batch of app.eventLog.subscribe({ categories: ['order'], from, signal })) {
      for (const { streamId, data } of batch.events) {
        const events = this.#streams[streamId] ?? []
        this.#streams[streamId] = events
        events.push(marksIn(data).id)
      }
      this.#checkpoints.set(`${batch.topic}/${batch.partition}`, batch.checkpoint)
    }
  }
}

/** The next one goes on from the checkpoints. */
function orDied(error: unknown): void {
  if (!(error instanceof InstanceDied) && !isNarrativeError(error, 'STORE_CLOSED')) throw error
}
