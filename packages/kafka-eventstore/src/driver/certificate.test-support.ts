// A certificate for localhost that nobody vouches for, in the kind of store a broker reads.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  /** Path of a PKCS#12 store. */
  readonly store: string
  readonly password: string
  /** The certificate itself, PEM: who trusts it trusts the broker. */
  readonly ca: string
  remove(): Promise<void>
}

export async function makeCertificate(): Promise<Certificate> {
  const directory = await mkdtemp(join(tmpdir(), 'narrative-tls-'))
  const store = join(directory, 'store.p12')
  const password = 'password'
  const keytool = (command: string) =>
    promisify(execFile)('keytool', [
      ...command.split(' '),
      ...['-keystore', store, '-storetype', 'PKCS12', '-storepass', password, '-alias', 'broker'],
    ])
  const names = '-dname CN=localhost -ext san=dns:localhost,ip:127.0.0.1'
  await keytool(`-genkeypair -keyalg RSA -keysize 2048 -validity 2 ${names}`)
  const { stdout: ca } = await keytool('-exportcert -rfc')
  return { store, password, ca, remove: () => rm(directory, { recursive: true, force: true }) }
}
