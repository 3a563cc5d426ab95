import { expect, test } from 'vitest'
import { GapMeter } from './gap-meter.js'

test('the longest time between two acknowledgements, by partition, and one that goes on', () => {
  const meter = new GapMeter(2, 0)
  meter.acknowledged(0, 5, 10)
  meter.acknowledged(0, 90, 100)
  meter.acknowledged(0, 110, 120)
  expect(meter.longest(130)).toEqual([90, 130])
  meter.reset(130)
  meter.acknowledged(0, 132, 136)
  expect(meter.longest(140)).toEqual([6, 10])
})

test('a partition is silent until something is acknowledged that was asked for later', () => {
  const meter = new GapMeter(2, 0)
  meter.acknowledged(0, 40, 60)
  meter.acknowledged(1, 55, 70)
  expect(meter.silentSince(50)).toEqual([0])
  meter.acknowledged(0, 30, 80) // asked before, and late
  expect(meter.silentSince(50)).toEqual([0])
})
