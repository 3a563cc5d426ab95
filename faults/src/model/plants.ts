// Bugs that are planted into copies of the event store's sources, to see that the model test notices each of them.
//
// Every edit names a text that must occur exactly once in its file: when the code changes so that it does not, the run
// fails and says which bug no longer fits. Production code has no switches for any of this.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the edits quote sources

import type { Disturbance } from './climate.js'

export interface Edit {
  /** Package and path: `core/x.ts` is packages/core/src/x.ts. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Plant {
  readonly name: string
  /** What the planted code does. */
  readonly does: string
  /** The disturbance that brings it out. */
  readonly often?: Disturbance
  readonly edits: readonly Edit[]
}

export const plants: readonly Plant[] = [
  {
    name: 'no-fence',
    does: 'each instance writes under a producer identity of its own, which fences nobody, and readers do not fold',
    edits: [
      {
        file: 'kafka-eventstore/claim.ts',
        from: '`${topic}-${partition}`',
        to: '`${topic}-${partition}-${randomUUID()}`',
      },
      { file: 'kafka-eventstore/fold.ts', from: 'stamp.claim === claim', to: 'stamp.claim !== undefined' },
    ],
  },
  {
    name: 'fence-after-catch-up',
    does: 'the claim is taken after reading, and what was written in between is not read',
    edits: [
      {
        file: 'kafka-eventstore/partition-owner.ts',
        from: 'await this.#read(claim.offset + 1)\n          const { point } = replica',
        to: 'replica.apply([], { offset: claim.offset + 1, claim: claim.id })\n          const { point } = replica',
      },
    ],
  },
  {
    name: 'no-claim-read-back',
    does: 'it serves as soon as the claim was sent, whatever became of it',
    edits: [
      {
        file: 'kafka-eventstore/claim.ts',
        from: "return outcome.outcome === 'done' ? { id, identity, offset: outcome.baseOffset } : outcome",
        to: "return { id, identity, offset: outcome.outcome === 'done' ? outcome.baseOffset : (await driver.offsets(topic, partition)).end - 1 }",
      },
      {
        file: 'kafka-eventstore/partition-owner.ts',
        from: 'if (point.claim === claim.id && point.offset === claim.offset + 1) {',
        to: 'if (point.offset >= 0) {',
      },
    ],
  },
  {
    name: 'acknowledge-before-the-ack',
    does: 'callers are answered when the batch is sent',
    edits: [
      {
        file: 'kafka-eventstore/partition-writer.ts',
        from: 'this.#doubtful = appends\n',
        to: 'this.#doubtful = appends\n      batch.appends.forEach(({ append }, at) => append.resolve(acknowledge(batch, topic, partition, replica.point.offset).answers[at]!))\n',
      },
    ],
  },
  {
    name: 'resend-under-a-new-identity',
    does: 'an append whose answer was lost is written again without looking into the log',
    edits: [
      {
        file: 'kafka-eventstore/partition-writer.ts',
        from: 'const found = this.#options.replica.findCommand(append.streamId, append.commandId)\n      if (found !== undefined) {',
        to: 'const found = this.#options.replica.findCommand(append.streamId, append.commandId)\n      if (found !== undefined && append.alone) {',
      },
      {
        file: 'kafka-eventstore/batch-assembly.ts',
        from: 'const known = stored === 0 ? undefined : replica.findCommand(streamId, commandId)',
        to: 'const known = undefined as ReturnType<typeof replica.findCommand>',
      },
    ],
  },
  {
    name: 'two-sends-in-flight',
    does: 'after a doubtful batch the next one is sent under the same claim',
    edits: [
      {
        file: 'kafka-eventstore/partition-writer.ts',
        from: 'return this.#doubt(outcome)\n',
        to: "if (outcome.outcome !== 'unknown') return this.#doubt(outcome)\n        this.#queue.putBack(appends)\n        this.#doubtful = []\n",
      },
    ],
  },
  {
    name: 'no-command-check',
    does: 'a repeated command is not recognised',
    edits: [
      {
        file: 'kafka-eventstore/batch-assembly.ts',
        from: 'const known = stored === 0 ? undefined : replica.findCommand(streamId, commandId)',
        to: 'const known = undefined as ReturnType<typeof replica.findCommand>',
      },
    ],
  },
  {
    name: 'ignore-the-base-offset',
    does: 'an acknowledgement counts wherever it says the batch went',
    edits: [
      {
        file: 'kafka-eventstore/partition-writer.ts',
        from: "outcome.outcome === 'done' && outcome.baseOffset === replica.point.offset",
        to: "outcome.outcome === 'done'",
      },
    ],
  },
  {
    name: 'no-fold',
    does: 'readers take events of any claim',
    edits: [{ file: 'kafka-eventstore/fold.ts', from: 'stamp.claim === claim', to: 'stamp.claim !== undefined' }],
  },
  {
    name: 'unknown-is-failed',
    does: 'a lost answer is told as "nothing was written"',
    edits: [
      {
        file: 'kafka-eventstore/owner-errors.ts',
        from: "new NarrativeError('OUTCOME_UNKNOWN'",
        to: "new NarrativeError('BROKER_UNREACHABLE'",
      },
    ],
  },
  {
    name: 'conflicts-from-unacknowledged',
    does: 'a version that exists only in the batch under way decides conflicts',
    edits: [
      {
        file: 'kafka-eventstore/batch-assembly.ts',
        from: 'if (version !== undefined && expected === stored) left.push(append)\n      else append.resolve({',
        to: "if (expected === 'any') left.push(append)\n      else append.resolve({",
      },
    ],
  },
  {
    name: 'no-version-check',
    does: 'the expected version is not looked at',
    edits: [
      {
        file: 'kafka-eventstore/batch-assembly.ts',
        from: "if (expected !== 'any' && expected !== (version ?? stored)) {",
        to: "if (expected !== 'any' && expected < 0) {",
      },
    ],
  },
  {
    name: 'keep-serving-after-loss',
    does: 'what the group took away goes on being served, and reads are answered without asking anybody',
    edits: [
      {
        file: 'kafka-eventstore/partition-owners.ts',
        from: 'if (!copied.has(partition)) seat.leave',
        to: 'if (seat.owner !== undefined) continue\n        if (!copied.has(partition)) seat.leave',
      },
      {
        file: 'kafka-eventstore/owned-streams.ts',
        from: 'return owner.assertCurrent(this.#options.sureUntil(), this.#options.appendTimeout)',
        to: 'return Promise.resolve()',
      },
    ],
  },
  {
    name: 'conflict-without-asking',
    does: 'a conflict is told from a replica that may be stale',
    often: 'absence',
    edits: [
      {
        file: 'kafka-eventstore/owned-streams.ts',
        from: 'await this.#assertCurrent(owner)\n      if (owner',
        to: 'if (owner',
      },
    ],
  },
  {
    name: 'sure-for-too-long',
    does: 'a member trusts what it has for ten sessions after the last word of its group',
    edits: [
      {
        file: 'kafka-eventstore/owned-streams.ts',
        from: 'assertCurrent(this.#options.sureUntil(),',
        to: 'assertCurrent(this.#options.sureUntil() + 60_000,',
      },
    ],
  },
  {
    name: 'the-leaders-word',
    does: 'who is not sure of a partition asks its leader where the log ends, who may be cut off and not know it',
    often: 'split',
    edits: [
      {
        file: 'kafka-eventstore/partition-owner.ts',
        from: 'this.#writer.witness()',
        to: 'this.#options.driver.offsets(topic, partition).then(({ end }) => end === this.#options.replica.point.offset)',
      },
    ],
  },
  {
    name: 'torn-appends',
    does: 'of a large append only the first events join the batch',
    edits: [
      {
        file: 'kafka-eventstore/batch-assembly.ts',
        from: 'for (const record of encoded) records.push(record)',
        to: 'for (const record of encoded.slice(0, 3)) records.push(record)',
      },
    ],
  },
  {
    name: 'forgotten-callers',
    does: 'appends in doubt are dropped when the partition is claimed again',
    edits: [
      {
        file: 'kafka-eventstore/partition-writer.ts',
        from: 'this.#doubtful = []\n    this.#queue.putBack(again)',
        to: 'this.#doubtful = []\n    this.#queue.putBack([])',
      },
    ],
  },
  {
    name: 'stale-replica-after-takeover',
    does: 'a new owner serves what its replica happens to hold',
    edits: [
      { file: 'kafka-eventstore/partition-owner.ts', from: 'await this.#read(this.#target)\n', to: '' },
      {
        file: 'kafka-eventstore/partition-owner.ts',
        from: 'await this.#read(claim.offset + 1)\n          const { point } = replica',
        to: 'replica.apply([], { offset: claim.offset + 1, claim: claim.id })\n          const { point } = replica',
      },
    ],
  },
  {
    name: 'missed-round',
    does: 'a partition given back to an instance that was out of its group is served as if it had stayed',
    often: 'absence',
    edits: [
      {
        file: 'kafka-eventstore/partition-owners.ts',
        from: 'generation !== this.#generation + 1',
        to: 'generation < 0',
      },
    ],
  },
  {
    name: 'serve-unasked',
    does: 'a claim that was long on its way is served although the group may have given the partition to somebody else',
    often: 'absence',
    edits: [{ file: 'kafka-eventstore/partition-owner.ts', from: 'await this.#rivals.assured(claim.id)\n', to: '' }],
  },
  {
    name: 'closing-keeps-all',
    does: 'an instance that drains ignores what its group takes from it',
    often: 'leave',
    edits: [
      {
        file: 'kafka-eventstore/partition-owners.ts',
        from: 'const missed = generation',
        to: 'if (this.#closing) return\n    const missed = generation',
      },
    ],
  },
  {
    name: 'refused-without-a-commit',
    does: 'a refusal is told although its request is never committed, and the next owner carries it out',
    often: 'absence',
    edits: [
      {
        file: 'kafka-eventstore/routing/request-consumer.ts',
        from: 'const offset = this.#handled\n',
        to: 'const offset = 0\n',
      },
      {
        file: 'kafka-eventstore/routing/request-consumer.ts',
        from: 'if (!handled.repeatable && !(await this.#committedPast(offset))) return\n',
        to: '',
      },
    ],
  },
  {
    name: 'request-sent-twice',
    does: 'a request whose answer was lost is sent again under another identity, so that a refused one has a copy',
    edits: [
      {
        file: 'kafka-eventstore/routing/record-sender.ts',
        from: 'const outcome = await this.#driver.produce(request)',
        to: 'const outcome = await this.#driver.produce({ ...request, sequence: 0, identity: await this.#driver.initProducerId(`${this.#id}-${Math.random()}`) })',
      },
    ],
  },
  {
    name: 'answers-by-command-id',
    does: 'a reply is taken for the answer to whichever attempt of its command waits',
    edits: [{ file: 'kafka-eventstore/routing/kafka-command-router.ts', from: '`${ticket}/${id}`', to: '`/${id}`' }],
  },
  {
    name: 'routed-id-not-checked',
    does: 'a command that came over the topic is carried out without a look for its id',
    edits: [
      { file: 'core/command-handling/routed-execution.ts', from: 'mayBeRepeated: true', to: 'mayBeRepeated: false' },
      {
        file: 'kafka-eventstore/batch-assembly.ts',
        from: 'const known = stored === 0 ? undefined : replica.findCommand(streamId, commandId)',
        to: 'const known = undefined as ReturnType<typeof replica.findCommand>',
      },
    ],
  },
  {
    name: 'expired-is-carried-out',
    does: 'nobody looks at the deadline',
    edits: [
      {
        file: 'core/command-handling/cancellation.ts',
        from: 'this.clock.now() >= this.deadline) throw',
        to: 'this.clock.now() < 0) throw',
      },
    ],
  },
  {
    name: 'reply-before-the-append',
    does: 'the caller is answered when the append is on its way',
    edits: [
      {
        file: 'core/command-handling/execute-command.ts',
        from: 'const result = await appending\n',
        to: "const version = loaded.version + events.length\n    const position = { topic: '', partition: 0, offset: 0 }\n    const hoped = { outcome: 'appended' as const, firstVersion: loaded.version + 1, version, position, duplicate: false }\n    appending.catch(() => {})\n    const result = await Promise.race([appending, new Promise<typeof hoped>((resolve) => setTimeout(resolve, 1, hoped))])\n",
      },
    ],
  },
  {
    name: 'doubt-forgotten-on-the-way',
    does: 'an append in doubt is told as not done when its next owner cannot be asked',
    edits: [
      {
        file: 'core/command-handling/routed-execution.ts',
        from: 'throw unknown ? error : unsent',
        to: 'throw unsent',
      },
    ],
  },
]
