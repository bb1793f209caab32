import { expect, test } from 'vitest'
import { type MemoryFacts, memoryBudget } from '../../src/app/memory-budget.ts'

const MIB = 1024 * 1024
const LARGE: MemoryFacts = {
  settingMib: 0,
  containerBytes: undefined,
  machineBytes: 65_536 * MIB,
  heapBytes: 4_144 * MIB,
  threads: 1,
}

test.each([
  ['nothing limits it', {}, 4096, 'the default'],
  ['the machine is small', { machineBytes: 2048 * MIB }, 2048, "the machine's memory"],
  [
    'it runs in a container',
    { containerBytes: 1024 * MIB, heapBytes: 512 * MIB },
    1024,
    "the container's limit",
  ],
  ['the container is larger than the default', { containerBytes: 8192 * MIB }, 8192, "the container's limit"],
  ['the heap is small', { heapBytes: 300 * MIB }, 600, "the limit of Node's heap"],
  ['a setting says so', { settingMib: 512 }, 512, 'UPSWELL_MEMORY_MB'],
  ['a setting says more than the default', { settingMib: 8192 }, 8192, 'UPSWELL_MEMORY_MB'],
])('the memory is the least of the limits: %s', (_, facts: Partial<MemoryFacts>, mib, reason) => {
  const budget = memoryBudget({ ...LARGE, ...facts })
  expect([budget.memoryBytes / MIB, budget.reason, budget.warning]).toEqual([mib, reason, undefined])
})

test('a fifth is held: accounts, answers of the brokers, requests', () => {
  const { accountsBytes, fetchedBytes, requestsBytes } = memoryBudget({ ...LARGE, settingMib: 1280 })
  expect([accountsBytes, fetchedBytes, requestsBytes].map(bytes => bytes / MIB)).toEqual([160, 32, 64])
})

test('threads share it, each with a heap of its own', () => {
  expect(memoryBudget({ ...LARGE, threads: 4 }).memoryBytes).toBe(1024 * MIB)
  const small = memoryBudget({ ...LARGE, threads: 4, heapBytes: 300 * MIB })
  expect(small.memoryBytes).toBe(600 * MIB)
})

test('it says why a setting does not count in full, and what to do', () => {
  expect(memoryBudget({ ...LARGE, settingMib: 16_384 }).warning).toEqual({
    found: "UPSWELL_MEMORY_MB is 16384, but the limit of Node's heap allows 8288 MiB, which counts",
    advice: 'set NODE_OPTIONS=--max-old-space-size=8192 too',
    isTooLittle: false,
  })
  expect(memoryBudget({ ...LARGE, settingMib: 2048, containerBytes: 1024 * MIB }).warning).toEqual({
    found: "UPSWELL_MEMORY_MB is 2048, but the container's limit allows 1024 MiB, which counts",
    advice: 'give it as much, or set less',
    isTooLittle: false,
  })
  expect(memoryBudget({ ...LARGE, containerBytes: 128 * MIB })).toMatchObject({
    memoryBytes: 256 * MIB,
    warning: {
      found: "the container's limit is 128 MiB, but a process needs 256 MiB",
      advice: 'give it more, or the process may be killed',
      isTooLittle: true,
    },
  })
})
