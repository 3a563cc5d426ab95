import { expect, test } from 'vitest'
import type { BrokerLink } from './broker-link.js'
import { BrokerLinks } from './broker-links.js'

const address = { host: 'broker', port: 9092 }

/** Connections that only know whether they are usable. */
function scene() {
  const opened: { address: string; usable: boolean; retired: boolean; retire(): void }[] = []
  const links = new BrokerLinks(async ({ host, port }) => {
    const link = {
      address: `${host}:${port}`,
      usable: true,
      retired: false,
      retire() {
        link.retired = true
      },
    }
    opened.push(link)
    return link as unknown as BrokerLink
  })
  return { links, opened }
}

test('a connection is for one at a time, and those given back are used again', async () => {
  const { links, opened } = scene()
  const [one, two] = await Promise.all([links.lease(address), links.lease(address)])
  expect(one).not.toBe(two)
  links.giveBack(one!)
  links.giveBack(two!)
  const again = await Promise.all([links.lease(address), links.lease(address), links.lease(address)])
  expect(new Set(again).size).toBe(3)
  expect(opened).toHaveLength(3)
})

test('one that failed takes the idle ones to its broker with it, and no others', async () => {
  const { links, opened } = scene()
  const elsewhere = await links.lease({ host: 'other', port: 9092 })
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => links.lease(address)))
  for (const link of [elsewhere, one!, two!]) links.giveBack(link)
  const failed = three as { usable: boolean }
  failed.usable = false
  links.giveBack(three!)
  expect(opened.map(({ retired }) => retired)).toEqual([false, true, true, true])
  expect(await links.lease({ host: 'other', port: 9092 })).toBe(elsewhere)
  await links.lease(address)
  expect(opened).toHaveLength(5)
})
