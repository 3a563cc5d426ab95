// Problem details (RFC 9457): the one form in which this service says that something did not work.
import type { Violation } from '@narrative/core'

/** What a problem may say beside its sentence. */
export interface ProblemExtras {
  readonly violations?: readonly Pick<Violation, 'path' | 'message'>[]
  readonly [extension: string]: unknown
}

/** An error that knows its HTTP answer. */
export class Problem extends Error {
  /**
   * @param code a stable name for programs: of the domain (`order.unknown`), of the framework (`VERSION_CONFLICT`), or `http.…`
   * @param detail a sentence for a person
   */
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly extras: ProblemExtras = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
  }

  toJSON() {
    const { status, code, message: detail, extras } = this
    return { type: `urn:order-service:problem:${code}`, title: titleOf(code), status, detail, code, ...extras }
  }
}

/** `order.already-cancelled` and `VERSION_CONFLICT` read as “Order already cancelled” and “Version conflict”. */
function titleOf(code: string): string {
  const words = code
    .replace(/^http\./, '')
    .replaceAll(/[._-]/g, ' ')
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** 400 for something in the request other than its body. */
export function badRequest(code: string, path: string, message: string): Problem {
  return new Problem(400, code, `${path} ${message}.`, { violations: [{ path, message }] })
}
