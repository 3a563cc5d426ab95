// Finds Java and Maven, and says in a sentence what is wrong when they do not fit.
import { join } from 'node:path'
import { runProgram } from './run-program.js'

/** Kafka 4 brokers need this Java or a newer one. */
export const oldestJava = 17

/** A program that was found, or why none fits. */
export type Tool = { readonly path: string; readonly version: string } | { readonly missing: string }

/** Java 17 or newer: `$JAVA_HOME`, else `java` on the PATH. */
export async function findJava(): Promise<Tool> {
  const path = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java'
  const { code, output } = await runProgram(path, ['-XshowSettings:properties', '-version'], 20_000)
  const version = /java\.version = (\S+)/.exec(output)?.[1]
  const major = Number(/java\.specification\.version = (\d+)/.exec(output)?.[1])
  if (code !== 0 || version === undefined) return { missing: `no working Java (${path})` }
  if (!(major >= oldestJava)) return { missing: `Java ${version} (${path}) is older than ${oldestJava}` }
  return { path, version }
}

/** Maven: `mvn` on the PATH. */
export async function findMaven(): Promise<Tool> {
  const path = process.platform === 'win32' ? 'mvn.cmd' : 'mvn'
  const { code, output } = await runProgram(path, ['-B', '-v'], 20_000)
  const version = /Apache Maven (\d[\w.-]*)/.exec(output)?.[1]
  return code === 0 && version !== undefined ? { path, version } : { missing: `no working Maven (${path})` }
}
