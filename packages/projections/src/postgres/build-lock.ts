// Who is at a build: held by the connection, and so let go of when a process dies.
import type { Pool, PoolClient } from 'pg'
import { connect } from './transaction.js'

const space = 'narrative rebuild'
/** Services that share a database have a schema each, and may call a projection the same. */
const key = `hashtext(current_schema() || '.' || $2)`

export class BuildLock {
  private readonly onError = () => {}

  private constructor(
    private readonly client: PoolClient,
    private readonly projection: string,
    /** Whether nobody else was at it when the lock was taken. */
    readonly alone: boolean,
  ) {
    client.on('error', this.onError)
  }

  /** Alone when nobody has it; together with those who have it otherwise, once they are ready for that. */
  static async take(pool: Pool, projection: string): Promise<BuildLock> {
    const client = await connect(pool)
    const alone = await isTrue(client, 'pg_try_advisory_lock', projection)
    const lock = new BuildLock(client, projection, alone)
    if (!alone) await lock.call('pg_advisory_lock_shared')
    return lock
  }

  /** Lets others in. */
  async share(): Promise<void> {
    if (!this.alone) return
    await this.call('pg_advisory_lock_shared')
    await this.call('pg_advisory_unlock')
  }

  /** Whether nobody else is at it any more; then nobody can join until it is released. */
  async isLast(): Promise<boolean> {
    // A lock can be had twice by the same connection; another one's share is what refuses it.
    return isTrue(this.client, 'pg_try_advisory_lock', this.projection)
  }

  async release(): Promise<void> {
    // Ending the connection would unlock as well, but a moment after we have said that we are done.
    await this.client.query('SELECT pg_advisory_unlock_all()').catch(this.onError)
    this.client.off('error', this.onError)
    this.client.release(true)
  }

  private async call(lock: string): Promise<void> {
    await this.client.query(`SELECT ${lock}(hashtext($1), ${key})`, [space, this.projection])
  }
}

async function isTrue(client: PoolClient, lock: string, projection: string): Promise<boolean> {
  const { rows } = await client.query(`SELECT ${lock}(hashtext($1), ${key}) AS yes`, [space, projection])
  return rows[0].yes
}
