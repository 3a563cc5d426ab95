// The one header of routed records, `nr`: where a request comes from, or whom a reply is for, as one line of ASCII.
//
//   a request:  ask <request id> <deadline> <instance> <partition of the reply topic>
//   a reply:    reply <request id> <instance>

/** Name of the header. */
export const requestHeader = 'nr'

export interface RequestStamp {
  readonly id: string
  /** Milliseconds since 1970 UTC. */
  readonly deadline: number
  readonly instance: string
  readonly replyTo: number
}

export interface ReplyStamp {
  readonly id: string
  readonly instance: string
}

export function formatRequest({ id, deadline, instance, replyTo }: RequestStamp): string {
  return `ask ${encodeURIComponent(id)} ${Math.ceil(deadline)} ${instance} ${replyTo}`
}

export function formatReply({ id, instance }: ReplyStamp): string {
  return `reply ${encodeURIComponent(id)} ${instance}`
}

export function parseRequest(text: string): RequestStamp | undefined {
  const [kind, id = '', deadline, instance = '', replyTo] = text.split(' ')
  if (kind !== 'ask') return undefined
  return { id: decodeURIComponent(id), deadline: Number(deadline), instance, replyTo: Number(replyTo) }
}

export function parseReply(text: string): ReplyStamp | undefined {
  const [kind, id = '', instance = ''] = text.split(' ')
  return kind === 'reply' ? { id: decodeURIComponent(id), instance } : undefined
}
