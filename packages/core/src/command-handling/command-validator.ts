// The port by which commands are validated, and the adapter that chooses by how a command was defined.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  getMetadataStorage,
  type ValidationError,
  type ValidatorOptions,
  validate,
  validateSync,
} from 'class-validator'
import type { CommandDefinition } from '../definition/aggregate-definition.js'
import { NarrativeError } from '../errors/narrative-error.js'

/** One thing wrong with a command. */
export interface Violation {
  /** Where: `lines[0].quantity`; empty for the command as a whole. */
  readonly path: string
  /** A sentence for a person. */
  readonly message: string
  /** The rule, when it has a name: `isInt`. */
  readonly rule?: string
}

/** Says what is wrong with a command; an empty answer means nothing is. */
export interface CommandValidator {
  validate(command: object, definition: CommandDefinition): readonly Violation[] | Promise<readonly Violation[]>
}

/** Validates nothing. For measurements, and for commands that only trusted code makes. */
export const noValidation: CommandValidator = { validate: () => [] }

/** A Standard Schema when the command names one, else class-validator for a class, else nothing. */
export const declaredValidation: CommandValidator = {
  validate(command, definition) {
    if (definition.schema !== undefined) {
      const data = definition.messageClass === undefined ? (command as { data?: unknown }).data : command
      return validateBySchema(definition.schema as StandardSchemaV1, data)
    }
    return definition.messageClass === undefined ? [] : validateByClass(command, definition)
  },
}

async function validateBySchema(schema: StandardSchemaV1, data: unknown): Promise<readonly Violation[]> {
  const result = await schema['~standard'].validate(data)
  return (result.issues ?? []).map((issue) => ({
    path: (issue.path ?? []).reduce<string>((path, part) => {
      const key = typeof part === 'object' ? part.key : part
      return typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`
    }, ''),
    message: issue.message,
  }))
}

const options: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: { target: false, value: false },
}

function validateByClass(
  command: object,
  definition: CommandDefinition,
): readonly Violation[] | Promise<readonly Violation[]> {
  // class-validator's promise form costs several times its synchronous one, and only custom async rules need it.
  if (hasAsyncRules(definition)) return validate(command, options).then((errors) => violationsOf(errors, ''))
  const errors = validateSync(command, options)
  return errors.length === 0 ? [] : violationsOf(errors, '')
}

const asyncRules = new WeakMap<object, boolean>()

/** Whether any rule known to class-validator is async: nested classes may lie anywhere, so all of them are asked. */
function hasAsyncRules(definition: CommandDefinition): boolean {
  const messageClass = definition.messageClass as object
  const known = asyncRules.get(messageClass)
  if (known !== undefined) return known
  const constraints = (
    getMetadataStorage() as unknown as { constraintMetadatas: Map<unknown, readonly { async: boolean }[]> }
  ).constraintMetadatas
  const found = [...constraints.values()].some((list) => list.some((constraint) => constraint.async))
  asyncRules.set(messageClass, found)
  return found
}

function violationsOf(errors: readonly ValidationError[], parent: string): Violation[] {
  return errors.flatMap((error) => {
    const path = pathOf(parent, error.property)
    const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
      path,
      // class-validator's own words for an object whose class it does not know.
      message:
        rule === 'unknownValue' ? 'must be an instance of its class, made by its constructor or by fromJson' : message,
      rule,
    }))
    return [...own, ...violationsOf(error.children ?? [], path)]
  })
}

/** An array index arrives as a property name of its own; a value of no known class arrives without one. */
function pathOf(parent: string, property: string | undefined): string {
  if (property === undefined) return parent
  if (/^\d+$/.test(property)) return `${parent}[${property}]`
  return parent === '' ? property : `${parent}.${property}`
}

/** The error that lists every violation. */
export function commandInvalid(name: string, violations: readonly Violation[]): NarrativeError {
  const list = violations
    .map((violation) => (violation.path === '' ? violation.message : `${violation.path}: ${violation.message}`))
    .join('; ')
  return new NarrativeError('COMMAND_INVALID', {
    message: `Command ${name} is not acceptable: ${list}.`,
    details: { command: name, violations },
  })
}
