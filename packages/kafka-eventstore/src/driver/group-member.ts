// A member of a consumer group, without a consumer: it joins, says that it lives, and is told its partitions.
//
// Kafka's group protocol is spoken here directly, because kafkajs' consumer says that it lives only between fetches,
// and stops everything at each rebalance. This member goes on with what it has until it is told otherwise: which is
// safe, because a group decides only who should work. Who may write is decided by claims.
import { isNarrativeError, type Logger, NarrativeError } from '@narrative/core'
import { orAborted, repeatUntil } from './attempts.js'
import { ConnectionFailure } from './broker-failure.js'
import type { ClusterClient } from './cluster-client.js'
import { groupError } from './group-errors.js'
import { GroupLease } from './group-lease.js'
import { decodeMember, decodeShare, encodeMember, encodeShare, nothing } from './group-messages.js'
import { GroupOffsets } from './group-offsets.js'
import { GroupRequests } from './group-requests.js'
import type { GroupOptions, Membership } from './kafka-driver.js'
import { assignSticky } from './sticky-assignment.js'

const protocolName = 'narrative-sticky'
const illegalGeneration = 22
const unknownMember = 25
const rebalanceInProgress = 27
const memberIdRequired = 79
/** What begins another round of joining. */
const rejoining = new Set([illegalGeneration, unknownMember, rebalanceInProgress])

export class GroupMember implements Membership {
  readonly #client: ClusterClient
  readonly #options: GroupOptions
  readonly #logger: Logger
  readonly #requests: GroupRequests
  readonly #offsets: GroupOffsets
  readonly #lease: GroupLease
  readonly #leaving = new AbortController()
  #memberId = ''
  #generation = -1
  #share = nothing
  #assigned = false
  #failure: NarrativeError | undefined
  /** What the group was told of this member. */
  #saidUnfit = false
  /** The generation in which the answer to a commit was lost. */
  #doubtful = -1
  #running: Promise<void> = Promise.resolve()
  #hurry: (() => void) | undefined

  constructor(client: ClusterClient, options: GroupOptions) {
    this.#client = client
    this.#options = options
    this.#logger = client.settings.logger
    this.#requests = new GroupRequests(client, options.group)
    this.#offsets = new GroupOffsets(client, options.group, this.#requests)
    this.#lease = new GroupLease(options)
  }

  get sureUntil(): number {
    return this.#lease.sureUntil
  }

  get failure(): NarrativeError | undefined {
    return this.#failure
  }

  get silentFor(): number {
    return this.#lease.silentFor
  }

  /** Resolves with the first assignment. */
  async start(): Promise<void> {
    const within = this.#client.settings.requestTimeout
    await this.#client.perform({
      what: `Joining the group ${this.#options.group}`,
      within,
      attempt: () => this.#join(),
    })
    this.#running = this.#stay()
  }

  confirm(): Promise<void> {
    const confirmed = this.#lease.confirmed()
    this.#hurry?.()
    return confirmed
  }

  committed(topic: string, partition: number): Promise<number | undefined> {
    return this.#offsets.committed(topic, partition)
  }

  /**
   * A commit whose answer was lost may reach the coordinator after a later one, and would set the offset back. So nothing
   * more is committed before the next generation, in which the group takes nothing of this one.
   */
  async commit(topic: string, partition: number, offset: number): Promise<void> {
    const generation = this.#generation
    if (generation === this.#doubtful) throw this.#commitInDoubt()
    try {
      await this.#offsets.commit(topic, partition, offset, { generation, memberId: this.#memberId })
    } catch (error) {
      if (error instanceof ConnectionFailure && error.written) {
        this.#doubtful = generation
        this.#hurry?.()
      }
      throw error
    }
  }

  async leave(): Promise<void> {
    if (this.#leaving.signal.aborted) return this.#running
    this.#leaving.abort(new NarrativeError('STORE_CLOSED', { message: 'The member has left its group.' }))
    this.#lease.end()
    try {
      // Not behind a JoinGroup that may be waiting: on a connection of its own.
      const input = { memberId: this.#memberId, groupInstanceId: this.#options.instanceId }
      if (this.#memberId !== '') await this.#requests.send('LeaveGroup', 'leave', input)
    } catch (error) {
      this.#logger.debug({ error }, `Could not leave the group ${this.#options.group}; its session will time out`)
    }
    await this.#running
  }

  /** Until it leaves: heartbeats, and joining again whenever the group changes. */
  async #stay(): Promise<void> {
    const { signal } = this.#leaving
    const interval = this.#options.sessionTimeout / 12
    while (!signal.aborted) {
      try {
        await this.#pause(interval)
        if (signal.aborted) return
        if (this.#isDue() || !(await this.#beat())) await this.#joinAgain()
      } catch (error) {
        if (signal.aborted || this.#client.closing.aborted) return
        if (isNarrativeError(error, 'INSTANCE_REPLACED')) return this.#giveUp(error)
        this.#logger.warn({ error }, `The group ${this.#options.group} does not answer; trying again`)
      }
    }
  }

  /**
   * A process that restarts under its name is given at once what it had before. If its predecessor lives, contrary to what
   * was meant, that may trust in its lease for so long.
   */
  #outlastPredecessor(): Promise<void> {
    const passed = new Promise<void>((resolve) => setTimeout(resolve, this.#lease.duration))
    return orAborted(passed, [this.#leaving.signal, this.#client.closing])
  }

  /** Another process goes by our name: all that was ours is its own. */
  #giveUp(failure: NarrativeError): void {
    this.#logger.error({ error: failure }, failure.message)
    this.#failure = failure
    this.#memberId = '' // what there was to leave is not ours any more
    this.#lease.end()
    this.#options.onAssigned({}, this.#generation)
  }

  /**
   * Whether all that was promised is warm, or this member became unfit, or fit again: then the group is to share anew.
   * Or whether a new generation is needed for its own sake.
   */
  #isDue(): boolean {
    if (this.#isUnfit() !== this.#saidUnfit || this.#doubtful === this.#generation) return true
    const promised = Object.entries(this.#share.promised)
    if (promised.length === 0) return false
    const warm = this.#options.warm?.() ?? {}
    return promised.every(([topic, numbers]) => numbers.every((number) => warm[topic]?.includes(number)))
  }

  #isUnfit(): boolean {
    return this.#options.unfit?.() ?? false
  }

  /** @returns false when the group wants everybody to join again */
  async #beat(): Promise<boolean> {
    const sent = performance.now()
    const { instanceId: groupInstanceId = null } = this.#options
    const input = { groupGenerationId: this.#generation, memberId: this.#memberId, groupInstanceId }
    const { errorCode } = await this.#requests.send('Heartbeat', 'member', input)
    if (rejoining.has(errorCode)) {
      if (errorCode === unknownMember) this.#memberId = ''
      return false
    }
    this.#check(errorCode)
    this.#lease.extend(sent)
    return true
  }

  #joinAgain(): Promise<void> {
    const signals = [this.#leaving.signal, this.#client.closing]
    return repeatUntil({ within: Number.POSITIVE_INFINITY, signals }, () => this.#join())
  }

  /** JoinGroup, and SyncGroup, until both went through in one generation. */
  async #join(): Promise<void> {
    const { instanceId, sessionTimeout, topics } = this.#options
    this.#lease.suspend()
    for (;;) {
      this.#leaving.signal.throwIfAborted()
      const { owned, promised } = this.#share
      const unfit = this.#isUnfit()
      this.#saidUnfit = unfit
      const brought = { generation: this.#generation, owned, promised, warm: this.#options.warm?.(), unfit }
      const names = topics.map(({ name }) => name)
      const metadata = encodeMember(names, brought)
      const joined = await this.#requests.send('JoinGroup', 'member', {
        sessionTimeout,
        rebalanceTimeout: sessionTimeout,
        memberId: this.#memberId,
        groupInstanceId: instanceId,
        protocolType: 'consumer',
        groupProtocols: [{ name: protocolName, metadata }],
      })
      if (joined.errorCode === memberIdRequired) {
        this.#memberId = joined.memberId
        continue
      }
      if (rejoining.has(joined.errorCode)) {
        if (joined.errorCode === unknownMember) this.#memberId = ''
        continue
      }
      this.#check(joined.errorCode)
      this.#memberId = joined.memberId
      const sent = performance.now()
      const leads = joined.leaderId === joined.memberId
      const synced = await this.#requests.send('SyncGroup', 'member', {
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupInstanceId: instanceId,
        groupAssignment: leads ? await this.#shareOut(joined.members) : [],
      })
      if (rejoining.has(synced.errorCode)) {
        if (synced.errorCode === unknownMember) this.#memberId = ''
        continue
      }
      this.#check(synced.errorCode)
      this.#generation = joined.generationId
      this.#share = decodeShare(synced.memberAssignment)
      if (instanceId !== undefined && !this.#assigned) await this.#outlastPredecessor()
      this.#assigned = true
      this.#options.onAssigned(this.#share.owned, this.#generation, this.#share.followed)
      this.#lease.extend(sent)
      return
    }
  }

  /** The leader's duty: what each member is told. */
  async #shareOut(members: readonly { memberId: string; memberMetadata: Buffer }[]) {
    const candidates = members.map(({ memberId, memberMetadata }) => decodeMember(memberId, memberMetadata))
    const { topics } = await this.#client.view.ask([...new Set(candidates.flatMap(({ topics }) => topics))])
    const shared = topics.map(({ name, partitions }) => ({ name, partitions: partitions.length }))
    const shares = assignSticky(shared, candidates, this.#options.standbys)
    return [...shares].map(([memberId, share]) => ({ memberId, memberAssignment: encodeShare(share) }))
  }

  #commitInDoubt(): NarrativeError<'BROKER_UNREACHABLE'> {
    return new NarrativeError('BROKER_UNREACHABLE', {
      message: `Offsets of the group ${this.#options.group} wait for its next generation: the answer to an earlier commit was lost.`,
    })
  }

  #check(code: number): void {
    const failure = this.#client.failure(code)
    if (failure !== undefined) throw groupError(failure, code, this.#options)
  }

  async #pause(milliseconds: number): Promise<void> {
    if (this.#lease.isAwaited) milliseconds = Math.min(milliseconds, 50)
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#hurry = undefined
        this.#leaving.signal.removeEventListener('abort', done)
        this.#client.closing.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      this.#hurry = done
      this.#leaving.signal.addEventListener('abort', done)
      this.#client.closing.addEventListener('abort', done)
    })
    this.#client.closing.throwIfAborted()
  }
}
