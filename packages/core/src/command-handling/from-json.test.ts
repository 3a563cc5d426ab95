import { Type } from 'class-transformer'
import { IsInt, IsString, ValidateNested } from 'class-validator'
import { expect, test } from 'vitest'
import {
  Aggregate,
  AggregateId,
  Command,
  CommandHandler,
  createApplication,
  Event,
  EventHandler,
  type Fields,
  fromJson,
} from '../index.js'

class Line {
  @IsString() readonly product!: string
  @IsInt() readonly quantity!: number

  double() {
    return this.quantity * 2
  }
}

@Command('basket.fill')
class Fill {
  @AggregateId() @IsString() readonly id!: string
  @ValidateNested({ each: true }) @Type(() => Line) readonly lines!: readonly Line[]
  constructor(fields: Fields<Fill>) {
    Object.assign(this, fields)
  }
}

@Event('basket.filled')
class Filled {
  constructor(readonly quantity: number) {}
}

@Aggregate('basket')
class Basket {
  @CommandHandler(Fill) fill(command: Fill) {
    return new Filled(command.lines.reduce((sum, line) => sum + line.double(), 0))
  }
  @EventHandler(Filled) filled() {}
}

const line = { product: 'tea', quantity: 2 }

async function violations(command: () => Fill): Promise<object> {
  const app = await createApplication({ aggregates: [Basket] })
  const error = await Promise.resolve()
    .then(() => app.commands.execute(command()))
    .catch((e) => e)
  await app.stop()
  expect(error).toMatchObject({ code: 'COMMAND_INVALID' })
  return error.details.violations.map(({ path, message }: { path: string; message: string }) => `${path}: ${message}`)
}

test('nested classes are made, and what the server gives is set', async () => {
  const app = await createApplication({ aggregates: [Basket] })
  const { events } = await app.commands.execute(fromJson(Fill, { lines: [line, line] }, { id: '1' }))
  expect(events).toEqual([new Filled(8)])
  await app.stop()
})

test('fields nobody asked for are violations, wherever they are and whatever they are called', async () => {
  const json = JSON.parse(
    '{"id":"1","toString":1,"extra":2,"lines":[{"product":"tea","quantity":1,"double":3,"constructor":4,"more":5}]}',
  )
  expect(await violations(() => fromJson(Fill, json))).toEqual([
    'toString: property toString should not exist',
    'lines[0].double: property double should not exist',
    'lines[0].constructor: property constructor should not exist',
    'extra: property extra should not exist',
    'lines[0].more: property more should not exist',
  ])
  expect(await violations(() => fromJson(Fill, { id: '2', lines: [] }, { id: '1' }))).toEqual([
    'id: property id should not exist',
  ])
})

test.each([
  [[], ': must be a JSON object, not an array'],
  [null, ': must be a JSON object, not null'],
  [undefined, ': must be a JSON object, not undefined'],
  [nested(40), ': must not be nested deeper than 32 levels'],
  [{ id: '1', lines: nested(100_000) }, ': must not be nested deeper than 32 levels'],
])('%#: JSON that is no command at all', async (json, violation) => {
  expect(await violations(() => fromJson(Fill, json))).toEqual([violation])
})

test('plain objects where a class belongs are named for what they are', async () => {
  expect(await violations(() => new Fill({ id: '1', lines: [line as Line] }))).toEqual([
    'lines[0]: must be an instance of its class, made by its constructor or by fromJson',
  ])
})

function nested(levels: number): object {
  let value: object = {}
  for (let i = 0; i < levels; i++) value = { value }
  return value
}
