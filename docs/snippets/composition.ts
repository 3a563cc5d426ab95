// What the guide to applications shows.
import { createApplication, isNarrativeError, stderrLogger } from '@narrative/core'
import { Container, ContainerModule } from 'inversify'
import { Account, Limits } from './account.js'

// #region module
class LimitsFromSettings extends Limits {
  async limitOf() {
    return Number(process.env.WITHDRAWAL_LIMIT ?? 1_000)
  }
}

export const limits = new ContainerModule(({ bind }) => {
  bind(Limits).to(LimitsFromSettings).inSingletonScope()
})
// #endregion

export async function open() {
  // #region open
  const app = await createApplication({
    aggregates: [Account],
    modules: [limits],
    logger: stderrLogger('info'), // pino fits as it is
  })
  // #endregion

  // #region stop
  process.once('SIGTERM', () => void app.stop())
  // #endregion

  // #region health
  const { ready, reasons } = app.health() // reasons: a sentence for each thing that is not ready
  const { partitions } = app.status() // the same, and how each partition of the log fares here
  const owned = partitions.filter(({ state }) => state === 'serving')
  // #endregion
  return { app, ready, reasons, owned }
}

export async function openWithYours() {
  // #region container
  const container = new Container()
  container.load(limits)
  const app = await createApplication({ aggregates: [Account], container })
  // #endregion
  return app
}

export async function openOrExplain() {
  // #region faults
  try {
    return await createApplication({ aggregates: [Account], modules: [limits] })
  } catch (error) {
    if (isNarrativeError(error, 'STARTUP_FAULTS')) console.error(error.message) // every fault, a line each
    throw error
  }
  // #endregion
}
