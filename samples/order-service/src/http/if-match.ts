// If-Match (RFC 9110, 13.1.1) as expected versions: the ETag of an order is its version in quotes.
import { type CommandOptions, type CommandResult, isNarrativeError } from '@narrative/core'
import { OrderUnknown } from '../orders/refusals.js'
import { badRequest, Problem } from './problem.js'

/** The versions a caller insists on; undefined when any will do. */
export type WantedVersions = readonly number[] | undefined

export function entityTag(version: number): string {
  return `"${version}"`
}

const tagList = /^[ \t,]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t,]*|$))+$/
const tag = /(W\/)?"([^"]*)"/g
const versionTag = /^(?:0|[1-9]\d{0,15})$/

/**
 * Reads the header. Weak tags never match (the comparison is the strong one), nor do tags this service never gave out:
 * both are simply not among the versions.
 */
export function wantedVersions(header: string | undefined): WantedVersions {
  if (header === undefined || header.trim() === '*') return undefined
  if (!tagList.test(header))
    throw badRequest('http.malformed-header', 'If-Match', 'must be *, or entity tags such as "3", "4"')
  return [...header.matchAll(tag)]
    .filter(([, weak, text]) => weak === undefined && versionTag.test(text!))
    .map(([, , text]) => Number(text))
}

/** No stream is ever at it. */
const impossibleVersion = -1

/**
 * Executes a command if the order is at one of the wanted versions.
 *
 * The check and the append are one step in the store, so the version is never read beforehand: a conflict says which one it is,
 * and if that one is wanted too, it is tried.
 */
export async function executeIfMatch<R extends CommandResult>(
  orderId: string,
  wanted: WantedVersions,
  execute: (options: Pick<CommandOptions, 'expectedVersion'>) => Promise<R>,
): Promise<R> {
  if (wanted === undefined) return execute({})
  const untried = new Set(wanted)
  for (let expectedVersion = wanted[0] ?? impossibleVersion; ; ) {
    untried.delete(expectedVersion)
    try {
      return await execute({ expectedVersion })
    } catch (error) {
      if (!isNarrativeError(error, 'VERSION_CONFLICT')) throw error
      const { actualVersion } = error.details as { actualVersion: number }
      if (actualVersion === 0) throw new OrderUnknown(orderId)
      if (!untried.has(actualVersion)) throw preconditionFailed(orderId, actualVersion)
      expectedVersion = actualVersion
    }
  }
}

function preconditionFailed(orderId: string, version: number): Problem {
  return new Problem(
    412,
    'VERSION_CONFLICT',
    `Order ${orderId} is at version ${version}, which If-Match does not name. Read it again and decide anew.`,
    { version },
    { etag: entityTag(version) },
  )
}
