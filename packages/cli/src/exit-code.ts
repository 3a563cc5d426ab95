// What the exit codes of the command mean. They are part of its interface: docs/cli.md lists them, and tests hold them.

/** 130 and 143 are what a shell gives to a process that SIGINT or SIGTERM ended, 141 to one whose reader went away. */
export const exitCode = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  /** The thing asked for is not there, or what was looked at is not healthy. */
  notFoundOrUnhealthy: 3,
  interrupted: 130,
  readerGone: 141,
  terminated: 143,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]
