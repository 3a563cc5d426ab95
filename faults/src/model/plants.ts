// Bugs that are planted into copies of the event store's sources, to see that the model test notices each of them.
//
// Every edit names a text that must occur exactly once in its file: when the code changes so that it does not, the run
// fails and says which bug no longer fits. Production code has no switches for any of this.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the edits quote sources

export interface Edit {
  /** Under packages/kafka-eventstore/src. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Plant {
  readonly name: string
  /** What the planted code does. */
  readonly does: string
  readonly edits: readonly Edit[]
}

export const plants: readonly Plant[] = [
  {
    name: 'no-fence',
    does: 'each instance writes under a producer identity of its own, which fences nobody, and readers do not fold',
    edits: [
      {
        file: 'claim.ts',
        from: '`${topic}-${partition}`',
        to: '`${topic}-${partition}-${randomUUID()}`',
      },
      { file: 'fold.ts', from: 'stamp.claim === claim', to: 'stamp.claim !== undefined' },
    ],
  },
  {
    name: 'fence-after-catch-up',
    does: 'the claim is taken after reading, and what was written in between is not read',
    edits: [
      {
        file: 'partition-owner.ts',
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
        file: 'claim.ts',
        from: "return outcome.outcome === 'done' ? { id, identity, offset: outcome.baseOffset } : outcome",
        to: "return { id, identity, offset: outcome.outcome === 'done' ? outcome.baseOffset : (await driver.offsets(topic, partition)).end - 1 }",
      },
      {
        file: 'partition-owner.ts',
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
        file: 'partition-writer.ts',
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
        file: 'partition-writer.ts',
        from: 'const found = this.#options.replica.findCommand(append.streamId, append.commandId)\n      if (found !== undefined) {',
        to: 'const found = this.#options.replica.findCommand(append.streamId, append.commandId)\n      if (found !== undefined && append.alone) {',
      },
      {
        file: 'batch-assembly.ts',
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
        file: 'partition-writer.ts',
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
        file: 'batch-assembly.ts',
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
        file: 'partition-writer.ts',
        from: "outcome.outcome === 'done' && outcome.baseOffset === replica.point.offset",
        to: "outcome.outcome === 'done'",
      },
    ],
  },
  {
    name: 'no-fold',
    does: 'readers take events of any claim',
    edits: [{ file: 'fold.ts', from: 'stamp.claim === claim', to: 'stamp.claim !== undefined' }],
  },
  {
    name: 'unknown-is-failed',
    does: 'a lost answer is told as "nothing was written"',
    edits: [
      {
        file: 'owner-errors.ts',
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
        file: 'batch-assembly.ts',
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
        file: 'batch-assembly.ts',
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
        file: 'partition-owners.ts',
        from: 'if (!copied.has(partition)) seat.leave',
        to: 'if (seat.owner !== undefined) continue\n        if (!copied.has(partition)) seat.leave',
      },
      {
        file: 'owned-streams.ts',
        from: 'return owner.assertCurrent(this.#options.sureUntil(), this.#options.appendTimeout)',
        to: 'return Promise.resolve()',
      },
    ],
  },
  {
    name: 'conflict-without-asking',
    does: 'a conflict is told from a replica that may be stale',
    edits: [{ file: 'owned-streams.ts', from: 'await this.#assertCurrent(owner)\n      if (owner', to: 'if (owner' }],
  },
  {
    name: 'sure-for-too-long',
    does: 'a member trusts what it has for ten sessions after the last word of its group',
    edits: [
      {
        file: 'owned-streams.ts',
        from: 'assertCurrent(this.#options.sureUntil(),',
        to: 'assertCurrent(this.#options.sureUntil() + 60_000,',
      },
    ],
  },
  {
    name: 'torn-appends',
    does: 'of a large append only the first events join the batch',
    edits: [
      {
        file: 'batch-assembly.ts',
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
        file: 'partition-writer.ts',
        from: 'this.#doubtful = []\n    this.#queue.putBack(again)',
        to: 'this.#doubtful = []\n    this.#queue.putBack([])',
      },
    ],
  },
]
