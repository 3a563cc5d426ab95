// What travels between the clients and an instance.
import type { AppendResult } from '@narrative/core'
import type { AppendOperation } from '../checker/history.js'

export interface InstanceSettings {
  readonly name: string
  readonly brokers: readonly string[]
  readonly context: string
  readonly partitions: number
  /** Milliseconds. */
  readonly sessionTimeout: number
}

export type AppendRequest = Pick<AppendOperation, 'streamId' | 'commandId' | 'expectedVersion' | 'eventIds'>

export type InstanceRequest = { readonly id: number } & ({ readonly append: AppendRequest } | { readonly read: string })

export type InstanceAnswer =
  | { readonly ready: true }
  | { readonly id: number; readonly result: AppendResult }
  | { readonly id: number; readonly read: readonly string[] }
  | { readonly id: number; readonly code: string }
