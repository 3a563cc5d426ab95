import { silentLogger } from '@narrative/core'
import { expect, test } from 'vitest'
import type { PartitionFollower } from './partition-follower.js'
import type { PartitionOwner } from './partition-owner.js'
import { PartitionOwners } from './partition-owners.js'
import type { Roles } from './partition-seat.js'
import { MemoryReplica } from './replica/memory-replica.js'

/** In the order in which they began. */
const followers: PartitionFollower[] = []

function ownersOf(story: string[]) {
  followers.length = 0
  const description = { name: 't', partitions: 2, replicationFactor: 1, settings: {} }
  const roles: Roles = {
    replica: (topic, partition) => {
      const replica = new MemoryReplica(topic.name, partition)
      return Object.assign(replica, { close: async () => void story.push(`drop ${partition}`) })
    },
    owner({ partition }) {
      story.push(`claim ${partition}`)
      return {
        close: async () => void story.push(`close ${partition}`),
        release: async () => void story.push(`release ${partition}`),
      } as unknown as PartitionOwner
    },
    follower({ partition }) {
      story.push(`follow ${partition}`)
      const follower = { release: async () => void story.push(`stop ${partition}`) } as unknown as PartitionFollower
      followers.push(follower)
      return follower
    },
  }
  return new PartitionOwners([description], roles, silentLogger)
}

test('what stays from one round of the group to the next is not disturbed', () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0, 1] }, 7)
  owners.assign({ t: [0] }, 8)
  owners.assign({ t: [0, 1] }, 9)
  expect(story).toEqual(['claim 0', 'claim 1', 'release 1', 'claim 1'])
})

test('what is given back after a missed round is lost and claimed anew: somebody else may have owned it meanwhile', () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0] }, 7)
  owners.assign({ t: [0, 1] }, 9)
  owners.assign({ t: [0, 1] }, 1) // the group was forgotten and began anew
  expect(story).toEqual(['claim 0', 'release 0', 'claim 0', 'claim 1', 'release 0', 'claim 0', 'release 1', 'claim 1'])
})

test('an instance that is closing gains nothing, and still lets go of what is taken from it', async () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0] }, 7)
  const closed = owners.close()
  owners.assign({ t: [0, 1] }, 8)
  owners.assign({ t: [1] }, 9)
  await closed
  expect(story).toEqual(['claim 0', 'close 0', 'release 0', 'drop 0'])
})

test('who followed a partition owns it on the same replica, and follows it on that again', async () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({}, 7, { t: [1] })
  owners.assign({ t: [1] }, 8)
  owners.assign({}, 9, { t: [1] })
  await owners.close()
  expect(story).toEqual(['follow 1', 'stop 1', 'claim 1', 'release 1', 'follow 1', 'stop 1', 'drop 1'])
})

test('who neither owns nor follows a partition any more lets go of its replica', async () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0] }, 7, { t: [1] })
  owners.assign({}, 8)
  await owners.close()
  expect(story.slice(0, 4)).toEqual(['claim 0', 'follow 1', 'release 0', 'stop 1'])
  expect(story.slice(4).sort()).toEqual(['drop 0', 'drop 1'])
})

test('an owner that failed for its disk: others are to own for a while, and what stays here all the same is tried again', () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({ t: [0] }, 7)
  expect(owners.unfit()).toBe(false)
  Object.assign(owners.get('t', 0)!, { failed: true, diskFailed: true })
  expect(owners.unfit()).toBe(true)
  owners.assign({ t: [0] }, 8)
  expect(story).toEqual(['claim 0', 'release 0', 'claim 0'])
  expect(owners.unfit()).toBe(true)
})

test('a copy that could not be kept makes an instance as unfit as an owner does; told to follow again, it tries again', () => {
  const story: string[] = []
  const owners = ownersOf(story)
  owners.assign({}, 7, { t: [0, 1] })
  expect(owners.unfit()).toBe(false)
  Object.assign(followers[0]!, { failed: true, diskFailed: true })
  expect(owners.unfit()).toBe(true)
  owners.assign({}, 8, { t: [0, 1] })
  expect(story).toEqual(['follow 0', 'follow 1', 'stop 0', 'follow 0'])
})
