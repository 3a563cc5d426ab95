// The rules this service adds to class-validator's: one sentence per field, whatever is wrong with it.
import { ValidateBy } from 'class-validator'

// Neither NUL nor half a surrogate pair can be stored as text in Postgres: better a violation now than a view that stops.
const oneLine = /^(?=.*\S)[^\p{Cc}\p{Cs}]*$/u
const manyLines = /^(?=[\s\S]*\S)(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u

/** Text that is not blank, of at most `max` characters; in one line unless said otherwise. */
export function IsText({ max, lines = 'one' }: { max: number; lines?: 'one' | 'many' }): PropertyDecorator {
  const pattern = lines === 'one' ? oneLine : manyLines
  return rule('isText', `text of 1 to ${max} characters, not blank, without control characters`, (value) => {
    return isText(value, max, pattern)
  })
}

/** The rule of {@link IsText}, for values outside commands. */
export function isText(value: unknown, max: number, pattern = oneLine): value is string {
  return typeof value === 'string' && value.length <= max && pattern.test(value)
}

/** A whole number, as JSON can hold it exactly. */
export function IsWhole({ from, unit = '' }: { from: number; unit?: string }): PropertyDecorator {
  return rule(
    'isWhole',
    `a whole number${unit}, at least ${from}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= from,
  )
}

function rule(name: string, expects: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return ValidateBy({ name, validator: { validate, defaultMessage: () => `$property must be ${expects}` } })
}
