import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { AccountParity } from '../../../src/consumers/parity/account-parity.ts'
import { type ParityLoopOptions, startParityLoop } from '../../../src/consumers/parity/parity-loop.ts'
import { UpswellError } from '../../../src/lib/errors.ts'
import type { Logger } from '../../../src/lib/logger.ts'
import { at, model, models, signal } from '../../support/small-histories.ts'
import { PARTITION, ParityWorld } from './parity-world.ts'

async function startLoop(options: Partial<ParityLoopOptions> = {}) {
  const world = new ParityWorld({ checkpointing: false })
  const accounts = ['acme', 'bolt'].map(accountId => signal(at(1), { accountId }))
  world.append([models(at(0), model()), ...accounts])
  await world.score()
  const checks: (readonly AccountParity[])[] = []
  const said: string[] = []
  const say = (level: string) => (message: string) => said.push(`${level} ${message}`)
  const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const loop = startParityLoop({
    source: async () => world.source,
    logger: logger as Logger,
    intervalMs: 5,
    partitions: topic => (topic === 'signals' ? [PARTITION] : []),
    random: Math.random,
    onChecked: checked => checks.push(checked),
    ...options,
  })
  onTestFinished(() => loop.stop())
  return { world, loop, checks, said }
}

test('checks repeatedly, and logs nothing while all is well', async () => {
  const { checks, said, loop } = await startLoop()
  await vi.waitFor(() => expect(checks.length).toBeGreaterThan(3))
  await loop.stop()
  expect(new Set(checks.flat().map(({ outcome }) => outcome))).toEqual(new Set(['equal']))
  expect(checks[0]).toHaveLength(2)
  expect(said).toEqual([])
  const { length } = checks
  await sleep(30)
  expect(checks).toHaveLength(length)
})

test('reports for a different account which it is, where, how, and what to do', async () => {
  const { world, checks, said } = await startLoop({ accounts: 2 })
  const core = await world.coreOf('bolt')
  core[core.length - 1]! ^= 1
  world.store.cores.set('bolt', core)
  await vi.waitFor(() => expect(said.length).toBeGreaterThan(0))
  const length = core.length
  expect(said[0]).toBe(
    `error signals partition 0: account "bolt" in the store is not what the log says: core: ${length} bytes, recomputed ${length} bytes; ` +
      'its last record is 4 in both; compared at offset 8, recomputed from offset 0. Keep the evidence first: what "upswell parity --json" writes, ' +
      'and a copy of the store. Then stop the scorers and rebuild the store from the whole log, since a checkpoint may hold the same error: ' +
      '"upswell rebuild --from-log --partition 0".',
  )
  await vi.waitFor(() =>
    expect(
      checks
        .at(-1)!
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(['different', 'equal']),
  )
})

test('warns if the store does not answer, counts nothing, and continues', async () => {
  const { world, checks, said } = await startLoop()
  world.store.beforeLoad = async () => {
    throw new UpswellError('STORE_UNAVAILABLE', 'nobody is there', { canRetry: true })
  }
  await vi.waitFor(() => expect(said.length).toBeGreaterThan(1))
  expect(said[0]).toBe(
    'warn parity: no account was compared with the log: STORE_UNAVAILABLE: nobody is there',
  )
  const { length } = checks
  world.store.beforeLoad = async () => {}
  await vi.waitFor(() => expect(checks.length).toBeGreaterThan(length))
})

test('runs one check at a time, and a stop ends it silently', async () => {
  const { world, checks, said, loop } = await startLoop()
  let running = 0
  let most = 0
  world.store.beforeLoad = async () => {
    running++
    most = Math.max(most, running)
    await sleep(20)
    running--
  }
  await vi.waitFor(() => expect(most).toBe(1))
  await vi.waitFor(() => expect(running).toBe(1))
  const { length } = checks
  await loop.stop()
  expect([running, most, checks.length]).toEqual([0, 1, length])
  expect(said).toEqual([])
})

test('waits while no partition is assigned', async () => {
  const { checks, said } = await startLoop({ partitions: () => [] })
  await sleep(40)
  expect([checks, said]).toEqual([[], []])
})
