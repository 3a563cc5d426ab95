import { expect, test } from 'vitest'
import {
  type ApplicationPart,
  createApplication,
  formatPosition,
  type Position,
  Query,
  QueryHandler,
  returns,
} from '../index.js'

@Query('who')
class Who {
  declare readonly [returns]: string
}

class View {}

class WhoQueries {
  @QueryHandler(Who, { reads: View })
  async who() {
    return 'me'
  }
}

const position: Position = { topic: 'people', partition: 1, offset: 7 }

test('after waits for the read model that the handler names', async () => {
  const waits: unknown[] = []
  const part: ApplicationPart = {
    name: 'views',
    prepare: () => [],
    start: async () => {},
    stop: async () => {},
    health: () => ({ ready: true, reasons: [] }),
    waitFor: async (...wait) => void waits.push(wait),
  }
  const app = await createApplication({ aggregates: [], queryHandlers: [WhoQueries], parts: [part] })
  expect(await app.queries.execute(new Who())).toBe('me')
  expect(waits).toEqual([])
  expect(await app.queries.execute(new Who(), { after: position })).toBe('me')
  expect(await app.queries.execute(new Who(), { after: formatPosition(position), timeout: 20 })).toBe('me')
  expect(waits).toEqual([
    [position, { readModel: View, timeout: 5_000 }],
    [position, { readModel: View, timeout: 20 }],
  ])
  await expect(app.queries.execute(new Who(), { after: 'yesterday' })).rejects.toMatchObject({
    code: 'POSITION_INVALID',
  })
  await expect(app.queries.execute(new View())).rejects.toMatchObject({ code: 'QUERY_UNKNOWN' })
  await app.stop()
})
