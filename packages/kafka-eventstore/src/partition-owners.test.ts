import { silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import type { PartitionOwner } from './partition-owner.js'
import { PartitionOwners } from './partition-owners.js'

function ownersOf(story: string[]) {
  const description = { name: 't', partitions: 2, replicationFactor: 1, settings: {} }
  const create = (_topic: object, partition: number) => {
    story.push(`claim ${partition}`)
    return {
      doubt: () => void story.push(`doubt ${partition}`),
      close: async () => void story.push(`close ${partition}`),
      release: async () => void story.push(`release ${partition}`),
    } as unknown as PartitionOwner
  }
  return new PartitionOwners([description], create, silentLogger)
}

test('what stays from one round of the group to the next is not disturbed', () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0, 1] }, 7)
  owners.assign({ t: [0] }, 8)
  owners.assign({ t: [0, 1] }, 9)
  expect(story).toEqual(['claim 0', 'claim 1', 'release 1', 'claim 1'])
})

test('what is given back after a missed round is in doubt: somebody else may have owned it meanwhile', () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0] }, 7)
  owners.assign({ t: [0, 1] }, 9)
  owners.assign({ t: [0, 1] }, 1) // the group was forgotten and began anew
  expect(story).toEqual(['claim 0', 'doubt 0', 'claim 1', 'doubt 0', 'doubt 1'])
})

test('an instance that is closing gains nothing, and still lets go of what is taken from it', async () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0] }, 7)
  const closed = owners.close()
  owners.assign({ t: [0, 1] }, 8)
  owners.assign({ t: [1] }, 9)
  await closed
  expect(story).toEqual(['claim 0', 'close 0', 'release 0'])
})
