// Carries commands out where their stream is owned: here when that is here, else by way of the router.
import type { EventCodec } from '../codec/event-codec.js'
import type { DefinitionRegistry } from '../definition/definition-registry.js'
import { isNarrativeError } from '../errors/narrative-error.js'
import type { Clock } from '../event-store/clock.js'
import type { CommandRouter, RoutedReply, RoutedRequest } from '../event-store/command-router.js'
import type { EventStore } from '../event-store/event-store.js'
import { type StreamId, toStreamId } from '../messages/stream-id.js'
import { Cancellation } from './cancellation.js'
import type { CommandResult } from './command-result.js'
import { commandInvalid } from './command-validator.js'
import { fromJson } from './from-json.js'
import type { CarryOut, CommandOrder } from './local-execution.js'
import { type DomainErrorClasses, errorFromWire, errorToWire } from './routed-error.js'
import {
  type CommandOnWire,
  fromBytes,
  type ReplyOnWire,
  type RequestOnWire,
  resultFromWire,
  resultToWire,
  toBytes,
} from './routed-message.js'
import { readPage } from './routed-reads.js'

/** What routing works with. */
export interface RoutingParts {
  readonly router: CommandRouter
  readonly registry: DefinitionRegistry
  readonly codec: EventCodec
  readonly eventStore: EventStore
  readonly clock: Clock
  readonly domainErrors: DomainErrorClasses
  readonly carryOutHere: CarryOut
}

/** How long a caller without a deadline waits for an owner elsewhere, milliseconds. */
export const routingTimeout = 30_000

/** Also begins to serve what other instances send. */
export function createRoutedExecution(parts: RoutingParts): CarryOut {
  const { router, carryOutHere } = parts
  router.serve((request, signal) => handle(parts, request, signal))
  return async (order) => {
    const { aggregate } = order.route
    const streamId = toStreamId(aggregate.category, aggregate.identify(order.command))
    if (router.ownerOf(streamId) === 'elsewhere') {
      return resultIn(parts, streamId, await sendCommand(parts, streamId, order))
    }
    try {
      return await carryOutHere(order)
    } catch (error) {
      // Lost on the way: the next owner finds the command id in the stream's history, or carries it out.
      const unknown = isNarrativeError(error, 'OUTCOME_UNKNOWN')
      const unwritten = isNarrativeError(error, 'NOT_OWNER')
      if (!unknown && !unwritten) throw error
      if (router.ownerOf(streamId) === 'here') {
        if (unwritten) return carryOutHere(order) // lost and given back: once more, now that it is
        throw error
      }
      const reply = await sendCommand(parts, streamId, order).catch((unsent) => {
        // That it could not be asked about, or expired meanwhile, says nothing of what was already sent.
        throw unknown ? error : unsent
      })
      return resultIn(parts, streamId, reply)
    }
  }
}

/** The owner's reply, whatever it is. Rejects when there is none. */
async function sendCommand(parts: RoutingParts, streamId: string, order: CommandOrder): Promise<ReplyOnWire> {
  const { router, clock } = parts
  const { route, command, metadata, expectedVersion } = order
  const { name } = route.command
  new Cancellation(name, clock, order.deadline, order.signal).check()
  const deadline = Math.min(order.deadline ?? Number.POSITIVE_INFINITY, clock.now() + routingTimeout)
  const request: CommandOnWire = { kind: 'command', name, data: command, metadata, expectedVersion }
  const bytes = await router.send({ streamId, id: metadata.commandId, deadline, payload: encode(name, request) })
  return fromBytes<ReplyOnWire>(bytes)
}

/** @throws what the owner threw, as what it was */
function resultIn({ codec, domainErrors }: RoutingParts, streamId: StreamId, reply: ReplyOnWire): CommandResult {
  if (reply.kind === 'error') throw errorFromWire(reply.error, domainErrors)
  if (reply.kind !== 'result') throw new TypeError(`A command was answered with a ${reply.kind}.`)
  return resultFromWire(codec, streamId, reply)
}

function encode(name: string, request: CommandOnWire): Uint8Array {
  try {
    return toBytes(request)
  } catch (error) {
    const message = `cannot be sent to its owner as JSON: ${(error as Error).message}`
    throw commandInvalid(name, [{ path: '', message }])
  }
}

/** A request from elsewhere. Rejects only with what leaves it to the next owner. */
async function handle(parts: RoutingParts, request: RoutedRequest, signal: AbortSignal): Promise<RoutedReply> {
  try {
    const message = fromBytes<RequestOnWire>(request.payload)
    if (message.kind === 'read') {
      return { payload: toBytes(await readPage(parts.eventStore, request.streamId, message)), repeatable: true }
    }
    const result = await carryOut(parts, request, message, signal)
    const reply = resultToWire(parts.codec, result)
    // With events the command is in the stream's history; without, the next owner would decide anew.
    return { payload: toBytes(reply), repeatable: result.events.length > 0 }
  } catch (error) {
    if (signal.aborted || isNarrativeError(error, 'NOT_OWNER') || isNarrativeError(error, 'STORE_CLOSED')) throw error
    const repeatable = isNarrativeError(error, 'OUTCOME_UNKNOWN')
    return { payload: toBytes({ kind: 'error', error: errorToWire(error) }), repeatable }
  }
}

/** Middleware and validation were passed where the caller is. */
function carryOut(
  parts: RoutingParts,
  { deadline }: RoutedRequest,
  message: CommandOnWire,
  signal: AbortSignal,
): Promise<CommandResult> {
  const route = parts.registry.routeNamed(message.name)
  const { messageClass } = route.command
  const command = messageClass === undefined ? (message.data as object) : fromJson(messageClass, message.data)
  const { metadata, expectedVersion } = message
  return parts.carryOutHere({
    route,
    command,
    metadata,
    expectedVersion,
    deadline,
    signal,
    mayBeRepeated: true,
  })
}
