import { afterEach, beforeEach, expect, test } from 'vitest'
import { readPromotionEffect } from '../../../src/commands/replay/promotion-effect.ts'
import { preparePromotion, writePromotion } from '../../../src/consumers/lineage/promote.ts'
import { signalRecord } from '../../../src/log/signals-topic-records.ts'
import type { ModelSource } from '../../../src/models/model-library.ts'
import { atLeast, model, trigger } from '../../support/small-histories.ts'
import { Installation, TOPICS } from './installation.ts'
import { until } from './memory-broker.ts'
import { namespaceOf } from './read-lineage.ts'

const DAY_MS = 86_400_000
const ACCOUNTS = 6

/** Accounts with this many uses get a PQL. */
function versionOf(id: string, version: number, uses: number) {
  return model({
    id,
    version,
    triggers: [trigger({ when: atLeast('used', uses), cooldownMs: DAY_MS, expiryMs: 20 * DAY_MS })],
  })
}

let installation: Installation
beforeEach(() => {
  installation = new Installation({ seed: 5, partitions: 2, batchSize: 20, checkpoints: false })
  installation.wallMs = Date.UTC(2026, 0, 5)
})
afterEach(() => installation.stopAll())

/** Account `a-0` is used once, `a-1` twice, and so on. */
function send(): void {
  for (let account = 0; account < ACCOUNTS; account++)
    for (let use = 0; use <= account; use++) {
      installation.wallMs += 60_000
      const common = { userId: undefined, quantityThousandths: 1000, properties: {} }
      const id = `s-${installation.wallMs}`
      const occurredAt = installation.wallMs
      const signal = {
        id,
        kind: 'usage',
        name: 'seat.invited',
        accountId: `a-${account}`,
        occurredAt,
        ...common,
      }
      installation.broker.append([signalRecord(TOPICS.signals, signal as never, occurredAt)])
    }
}

async function follow(models: readonly ModelSource[] | null, partitions: number): Promise<void> {
  const origin = { topic: TOPICS.signals, partitions: 2, namespace: 'default' }
  await installation.begin({ name: 'v2', origin, from: null, to: null, models }, partitions)
  installation.start({ type: 'replay', name: 'v2' })
  await installation.untilAtRest(['v2'])
}

async function readEffect() {
  const { served, promoted } = await preparePromotion(installation.lineages, 'v2', installation.wallMs)
  return await readPromotionEffect(served, promoted, installation.library)
}

/** How many events subscribers got since then. */
function countPublished(): { tierChanges: number; pqlEvents: number } {
  return {
    tierChanges: installation.broker.all(TOPICS['tier-changes']).length,
    pqlEvents: installation.broker.all(TOPICS['pql-events']).length,
  }
}

async function promote(): Promise<{ tierChanges: number; pqlEvents: number }> {
  const before = countPublished()
  await writePromotion(installation.lineages, 'v2', installation.wallMs)
  const serves = async () => (await installation.lineages.served()).names.namespace === namespaceOf('v2')
  await until('v2 serves', serves)
  await installation.untilAtRest(['v2'])
  const after = countPublished()
  return {
    tierChanges: after.tierChanges - before.tierChanges,
    pqlEvents: after.pqlEvents - before.pqlEvents,
  }
}

test('a promotion of fewer models is described as it then happens', async () => {
  const source = (definition: ReturnType<typeof model>) => installation.library.sourceFor(definition)
  installation.configured = [versionOf('one', 1, 2), versionOf('two', 1, 4), versionOf('three', 1, 6)].map(
    source,
  )
  send()
  installation.start()
  await follow([versionOf('two', 2, 5), versionOf('four', 1, 3)].map(source), 4)
  const effect = await readEffect()
  const counts = { accounts: ACCOUNTS, pqls: 0, pqlsEnded: 0, pqlsBegun: 0 }
  expect(effect.models).toEqual([
    { modelId: 'one', current: 1, next: undefined, isSame: false, ...counts, pqls: 5, pqlsEnded: 5 },
    { modelId: 'three', current: 1, next: undefined, isSame: false, ...counts, pqls: 1, pqlsEnded: 1 },
    { modelId: 'four', current: undefined, next: 1, isSame: false, ...counts, pqlsBegun: 4 },
    { modelId: 'two', current: 1, next: 2, isSame: false, ...counts, pqls: 3, pqlsEnded: 3, pqlsBegun: 2 },
  ])
  expect(effect.accounts).toBe(ACCOUNTS)
  expect(await promote()).toEqual({ tierChanges: effect.tierChanges, pqlEvents: effect.pqlEvents })
  expect(effect.pqlEvents).toBe(15)
})

test('a promotion of the same models announces nothing, and says so', async () => {
  installation.configured = [installation.library.sourceFor(versionOf('one', 1, 2))]
  send()
  installation.start()
  await follow(null, 4)
  const effect = await readEffect()
  expect(effect).toEqual({
    models: [
      {
        modelId: 'one',
        current: 1,
        next: 1,
        isSame: true,
        accounts: ACCOUNTS,
        pqls: 5,
        pqlsEnded: 0,
        pqlsBegun: 0,
      },
    ],
    accounts: ACCOUNTS,
    tierChanges: 0,
    pqlEvents: 0,
  })
  expect(await promote()).toEqual({ tierChanges: 0, pqlEvents: 0 })
})
