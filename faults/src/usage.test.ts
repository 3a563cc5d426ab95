import { expect, test } from 'vitest'
import { readArguments, takeoverKinds } from './usage.js'

test.each([
  ['--for 10m', { what: 'suite', milliseconds: 600_000, seed: undefined }],
  ['-- --for 90s --seed 7', { what: 'suite', milliseconds: 90_000, seed: 7 }],
  ['--model', { what: 'model', histories: undefined, seed: undefined }],
  ['--model --histories 5 --seed 3', { what: 'model', histories: 5, seed: 3 }],
  ['--planted', { what: 'planted', histories: undefined }],
  ['--takeovers', { what: 'takeovers', times: 30, kinds: takeoverKinds, seed: 1 }],
  [
    '--takeovers --only zombies --only killed --times 5',
    { what: 'takeovers', times: 5, kinds: ['killed', 'zombies'], seed: 1 },
  ],
  ['--help --for x', { what: 'help' }],
])('%s', (line, asked) => {
  expect(readArguments(line.split(' '))).toEqual(asked)
})

test.each([
  ['', 'Say what is to be proven'],
  ['--for 10', '--for takes a time such as 90s, 10m or 1h, not 10'],
  ['--for 0m', '--for takes a time'],
  ['--for 1m --seed x', '--seed takes a whole number from 1, not x'],
  ['--model --for 1m', '--for is of the suite'],
  ['--planted --for 1m', '--for is of the suite'],
  ['--histories 5', 'goes with --model'],
  ['--takeovers --only x', '--only takes one of answers, graceful'],
  ['--for 1m --times 5', 'go with --takeovers'],
  ['--fro 1m', "Unknown option '--fro'"],
  ['--for', '--for'],
  ['10m', '10m is not understood'],
])('%s is told what is wrong', (line, sentence) => {
  expect(() => readArguments(line.split(' ').filter((word) => word !== ''))).toThrow(sentence)
})
