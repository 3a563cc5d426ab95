// From a request body to a command, some of whose fields the server sets itself.
import { type Class, declaredValidation, type Fields, fromJson, NarrativeError } from '@narrative/core'

/**
 * Makes a command out of a body and the fields that come from elsewhere (the path, a new id). A body that brings one of those is
 * at fault like a body with any other unknown field.
 *
 * @throws NarrativeError `COMMAND_INVALID`
 */
export async function commandFrom<C extends object>(
  commandClass: Class<C> & (new (fields: Fields<C>) => C),
  body: unknown,
  given: Partial<Fields<C>>,
): Promise<C> {
  if (isDeeper(body, deepest)) throw tooDeep()
  const command = fromJson(commandClass, body)
  // A field called like a method (toString) was left out of the command, where the command bus would have seen it.
  const unwanted = Object.keys(body as object).filter((field) => field in given || !Object.hasOwn(command, field))
  Object.assign(command, given)
  if (unwanted.length === 0) return command

  // The command bus will not see these either, so the other violations are collected here.
  const definition = { name: commandClass.name, messageClass: commandClass, schema: undefined }
  const violations = [
    ...unwanted.map((path) => ({ path, message: `property ${path} should not exist` })),
    ...(await declaredValidation.validate(command, definition)),
  ]
  const list = violations.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new NarrativeError('COMMAND_INVALID', {
    message: `The body is not acceptable: ${list}.`,
    details: { violations },
  })
}

/** No command comes near it; a body that goes on for ever would exhaust the stack of whoever walks through it. */
const deepest = 32

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

function tooDeep(): NarrativeError {
  const message = `must not be nested deeper than ${deepest} levels`
  return new NarrativeError('COMMAND_INVALID', {
    message: `The body ${message}.`,
    details: { violations: [{ path: '', message }] },
  })
}
