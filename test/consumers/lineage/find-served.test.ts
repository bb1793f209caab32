import { afterEach, expect, test } from 'vitest'
import { findReplays } from '../../../src/commands/replay/find-replays.ts'
import { findServed } from '../../../src/consumers/lineage/find-served.ts'
import { Lineages } from '../../../src/consumers/lineage/lineages.ts'
import { preparePromotion, writePromotion } from '../../../src/consumers/lineage/promote.ts'
import type { Log } from '../../../src/log/log.ts'
import { createRandom } from '../../../src/sample/random.ts'
import { Installation, LINEAGE_NAMES, TOPICS } from './installation.ts'
import { sourcesOf } from './make-log.ts'
import { until } from './memory-broker.ts'
import { MortalProcess } from './mortal-process.ts'
import { namespaceOf } from './read-lineage.ts'

const PARTITIONS = 2
let installation: Installation

/** An installation without a running process. Each replay was promoted in place of the one before. */
async function promoted(replays: readonly string[], checkpoints = false): Promise<void> {
  installation = new Installation({ seed: 5, partitions: PARTITIONS, batchSize: 20, checkpoints })
  installation.wallMs = Date.UTC(2026, 0, 5)
  installation.configured = sourcesOf(installation, 0)
  send(30)
  installation.start()
  await installation.untilAtRest([])
  for (const [i, name] of replays.entries()) {
    await replayed(name, replays[i - 1])
    await writePromotion(installation.lineages, name, installation.wallMs)
    await until(`${name} serves`, async () => (await byStores()) === namespaceOf(name))
  }
  await installation.untilAtRest(replays)
  await installation.stopAll()
}

async function replayed(name: string, before?: string): Promise<void> {
  const found = before === undefined ? undefined : await installation.lineages.replay(before)
  const { topics, namespace } = found?.names ?? installation.lineages.original.names
  const origin = { topic: topics.signals, partitions: PARTITIONS, namespace }
  await installation.begin({ name, origin, from: null, to: null, models: null }, PARTITIONS)
  const worker = installation.start({ type: 'replay', name })
  await installation.untilAtRest([name])
  await installation.stop(worker)
}

function send(count: number): void {
  for (let i = 0; i < count; i++) {
    installation.wallMs += 60_000
    const occurredAt = new Date(installation.wallMs).toISOString()
    const accountId = `account-${i % 5}`
    const signal = { id: `${i}`, kind: 'usage', name: 'seat.invited', accountId, occurredAt }
    installation.broker.append([
      {
        topic: TOPICS.signals,
        key: accountId,
        value: JSON.stringify(signal),
        timestamp: installation.wallMs,
      },
    ])
  }
}

/** What a new process knows, which has seen no promotion before. */
function fresh(change: Partial<Log> = {}): Lineages {
  const backend = installation.backend(new MortalProcess(createRandom('find', 1)))
  Object.assign(backend.log, change)
  return new Lineages(LINEAGE_NAMES, backend, installation.library)
}

const found = async (lineages = fresh()): Promise<string> => (await findServed(lineages)).names.namespace
const byStores = async (): Promise<string> => (await fresh().served()).names.namespace

function empty(...names: (string | undefined)[]): void {
  for (const name of names) installation.store(name === undefined ? undefined : namespaceOf(name)).empty()
}

afterEach(() => installation.stopAll())

test('finds what the stores say while they are whole, even if the log is silent', async () => {
  await promoted(['v2'])
  expect(await found()).toBe(namespaceOf('v2'))
  // A store that says so itself.
  for (const name of [undefined, 'v2'])
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const store = installation.store(name === undefined ? undefined : namespaceOf(name))
      await store.fence(partition, 'owner', await store.readStoredOffset(partition))
    }
  const away = async () => await new Promise<never>(() => {})
  expect(await found(fresh({ group: away, ranges: away }))).toBe(namespaceOf('v2'))
})

test('finds the promoted lineage in the log when the stores are empty', async () => {
  await promoted(['v2', 'v3'])
  for (const emptied of [[undefined], ['v2'], ['v3'], [undefined, 'v2', 'v3']]) {
    empty(...emptied)
    expect(await found()).toBe(namespaceOf('v3'))
  }
  expect(await byStores()).toBe(LINEAGE_NAMES.namespace)
  const states = (await findReplays(fresh(), installation.log, '')).map(({ replay, state }) => [
    replay.name,
    state,
  ])
  expect(states).toEqual([
    ['v2', 'promoted'],
    ['v3', 'serves'],
  ])
  await expect(preparePromotion(fresh(), 'v3', 0)).rejects.toThrow('it serves already')
})

test('does not take a promotion that no scorer has reached for one that took place', async () => {
  await promoted([])
  await replayed('v2')
  await writePromotion(installation.lineages, 'v2', installation.wallMs)
  empty(undefined, 'v2')
  expect(await found()).toBe(LINEAGE_NAMES.namespace)
})

test('reads no log of an installation that never had a replay', async () => {
  await promoted([])
  empty(undefined)
  const read = () => {
    throw new Error('read')
  }
  expect(await found(fresh({ read }))).toBe(LINEAGE_NAMES.namespace)
})

test('refuses when retention has deleted what the emptied store needs', async () => {
  await promoted(['v2'])
  empty(undefined)
  const whole = await installation.log.ranges(TOPICS.signals)
  const cut = new Map([...whole].map(([partition, { end }]) => [partition, { first: end - 1, end }]))
  const ranges = async () => cut
  await expect(found(fresh({ ranges }))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(
      /^the store of default is not whole, .* Run "upswell score", wait until \/readyz/,
    ),
  })
})
