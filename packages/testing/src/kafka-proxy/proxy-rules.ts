// What a proxy does to the requests and answers of one kind, and which of them it does it to.
import { Promised } from '../promised.js'

/** Which one, and what becomes of its connection. */
export interface Disturbance {
  /** 1 is the next one to come. Default 1. */
  readonly nth?: number
  /** Whether the connection is cut at that moment. Default false: the client waits in vain. */
  readonly cut?: boolean
}

/** A rule that was set. */
export interface ProxyRule {
  /** Resolves when it was applied (for the first time). */
  readonly happened: Promise<void>
  /** How many times it was applied so far. */
  readonly times: number
  /** Takes it back. */
  lift(): void
}

/** A request that is kept back. */
export interface DetainedRequest extends ProxyRule {
  /** Lets the broker have it; resolves when the broker has answered. */
  deliver(): Promise<void>
}

/** What is to be done with a frame. */
export type Verdict =
  | { readonly do: 'pass' }
  | { readonly do: 'drop'; readonly cut: boolean }
  | { readonly do: 'delay'; readonly milliseconds: number }
  /** Resolve `delivered` when it was answered. */
  | { readonly do: 'detain'; readonly until: Promise<void>; readonly delivered: () => void }

export type Direction = 'request' | 'answer'

interface Rule {
  readonly direction: Direction | 'both'
  readonly verdict: Verdict
  /** How many frames pass before it applies. */
  skip: number
  readonly once: boolean
  readonly apply: () => void
}

const pass: Verdict = { do: 'pass' }

/** The rules for one kind of request, in the order they were set. The first that applies wins. */
export class ProxyRules {
  readonly #rules = new Set<Rule>()

  /** The broker never sees the request. */
  dropRequest({ cut = false, nth = 1 }: Disturbance = {}): ProxyRule {
    return this.#add({ direction: 'request', verdict: { do: 'drop', cut }, skip: nth - 1, once: true })
  }

  /** The broker does what was asked, and the client never learns of it. */
  dropResponse({ cut = false, nth = 1 }: Disturbance = {}): ProxyRule {
    return this.#add({ direction: 'answer', verdict: { do: 'drop', cut }, skip: nth - 1, once: true })
  }

  /** The client's connection is cut, and the broker gets the request later, when it was given up long ago. */
  detainRequest({ nth = 1 }: Pick<Disturbance, 'nth'> = {}): DetainedRequest {
    const [released, answered] = [new Promised(), new Promised()]
    const verdict: Verdict = { do: 'detain', until: released.kept, delivered: answered.keep }
    const rule = this.#add({ direction: 'request', verdict, skip: nth - 1, once: true })
    const deliver = () => {
      released.keep()
      return answered.kept
    }
    return Object.assign(rule, { deliver })
  }

  /** Every answer comes so much later, in order, until the rule is lifted. */
  delayResponses(milliseconds: number): ProxyRule {
    return this.#add({ direction: 'answer', verdict: { do: 'delay', milliseconds }, skip: 0, once: false })
  }

  /** Everything in a direction is lost, until the rule is lifted. */
  swallow(direction: Direction | 'both'): ProxyRule {
    return this.#add({ direction, verdict: { do: 'drop', cut: false }, skip: 0, once: false })
  }

  /** @internal */
  judge(direction: Direction): Verdict {
    for (const rule of this.#rules) {
      if (rule.direction !== direction && rule.direction !== 'both') continue
      if (rule.skip-- > 0) continue
      if (rule.once) this.#rules.delete(rule)
      rule.apply()
      return rule.verdict
    }
    return pass
  }

  #add(parts: Omit<Rule, 'apply'>): ProxyRule {
    let times = 0
    const happened = new Promised()
    const apply = () => {
      times++
      happened.keep()
    }
    const rule: Rule = { ...parts, apply }
    this.#rules.add(rule)
    return {
      happened: happened.kept,
      lift: () => this.#rules.delete(rule),
      get times() {
        return times
      },
    }
  }
}
