import { type Application, isNarrativeError } from '@narrative/core'

export async function answer(app: Application, command: object) {
  // #region recognise
  try {
    return { status: 200, body: await app.commands.execute(command) }
  } catch (error) {
    if (isNarrativeError(error, 'COMMAND_INVALID')) return { status: 400, body: error.details }
    if (isNarrativeError(error, 'VERSION_CONFLICT')) return { status: 412, body: error.details }
    if (isNarrativeError(error) && error.retryable) return { status: 503, body: { code: error.code } }
    throw error
  }
  // #endregion
}
