// Databases that belong to one test each.
import pg from 'pg'
import { uniqueName } from './unique-name.js'

/** Makes databases on a server, and drops those it made. */
export function testDatabases(url: string) {
  const made: string[] = []
  const execute = async (statement: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
  return {
    /** The connection string of a new, empty database. */
    create: async (): Promise<string> => {
      const name = uniqueName('narrative-test')
      await execute(`CREATE DATABASE "${name}"`)
      made.push(name)
      const database = new URL(url)
      database.pathname = `/${name}`
      return database.href
    },
    /** Drops them, connections or not. */
    dropAll: async (): Promise<void> => {
      for (const name of made.splice(0)) await execute(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
    },
  }
}
