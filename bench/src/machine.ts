// What a run ran on: without it a figure says nothing.
import { cpus, totalmem } from 'node:os'
import pg from 'pg'
import type { Services } from './services.js'

/** Lines about the machine and the services that were used. */
export async function describeMachine(services: Services): Promise<string[]> {
  const { kafka, postgres } = await services.started()
  const cores = cpus()
  const lines = [
    `${cores.length} cores (${cores[0]?.model.trim() || 'unknown model'}), ${Math.round(totalmem() / 2 ** 30)} GB memory, Node ${process.versions.node}, NODE_ENV=${process.env.NODE_ENV ?? 'unset'}`,
  ]
  if (kafka) {
    lines.push(
      `Kafka ${kafka.source === 'environment' ? 'of the environment' : `4.1 (${kafka.source}), one broker`}: acks=all, no fsync per write; on Kafka durability is replication`,
    )
  }
  if (postgres) lines.push(await describePostgres(postgres.url, postgres.source))
  return lines
}

async function describePostgres(url: string, source: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const show = async (name: string) => String((await client.query(`SHOW ${name}`)).rows[0][name])
  const [version, fsync, synchronous] = [
    await show('server_version'),
    await show('fsync'),
    await show('synchronous_commit'),
  ]
  await client.end()
  const durable = fsync === 'on' && synchronous === 'on'
  return `Postgres ${version} (${source}), fsync=${fsync}, synchronous_commit=${synchronous}: its figures ${durable ? 'include an fsync per commit, Kafka’s do not' : 'include NO fsync per commit'}`
}
