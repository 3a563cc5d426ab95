// What travels between the suite and the processes of the service.
import type { Position } from '@narrative/core'
import type { AppendOperation, AppendOutcome, ReadOperation } from '../checker/history.js'

export interface InstanceSettings {
  readonly name: string
  readonly brokers: readonly string[]
  readonly context: string
  readonly partitions: number
  /** Milliseconds. */
  readonly sessionTimeout: number
  /** Of the replica; in memory without. */
  readonly directory?: string
  /** Where the view is kept: then it is a worker, which follows the log and takes no commands. */
  readonly database?: string
}

/** Where an instance dies: with nothing sent, with the events in the log and nobody told, with the answer of another
 * instance's command not sent. */
export type KillPoint = 'before send' | 'before reply' | 'before routed reply'

/** A command and how long its caller waits, milliseconds. */
export type CommandRequest = Pick<AppendOperation, 'streamId' | 'commandId' | 'expectedVersion' | 'eventIds'> & {
  readonly refuse: boolean
  readonly patience: number
}

/** Done to an instance by itself; no answer. */
export type InstanceHarm =
  | { readonly killAt: KillPoint }
  /** Its wall clock is off by so many milliseconds. */
  | { readonly clock: number }
  /** Its event loop stands still for so many milliseconds. */
  | { readonly block: number }
  | { readonly stop: true }

/** What a read gave; without `upTo` it is strong, whatever was asked for. */
export type ReadAnswer = Pick<ReadOperation, 'outcome' | 'upTo'>

/** What it holds itself of these streams, once it has come up to these positions. */
export interface DumpRequest {
  readonly dump: readonly string[]
  readonly upTo: readonly Position[]
}

export type InstanceRequest =
  | { readonly execute: CommandRequest }
  | { readonly read: string; readonly strong: boolean }
  | DumpRequest

export type InstanceAnswer =
  | { readonly execute: AppendOutcome }
  | { readonly read: ReadAnswer }
  /** Streams by copy. */
  | { readonly dump: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> }

/** To an instance. */
export type ToInstance = (InstanceRequest & { readonly id: number }) | { readonly harm: InstanceHarm }

/** From an instance: once that it is ready, then answers. */
export type FromInstance = { readonly ready: true } | { readonly id: number; readonly answer: InstanceAnswer }
