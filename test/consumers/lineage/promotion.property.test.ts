import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { writePromotion } from '../../../src/consumers/lineage/promote.ts'
import { MODEL_SETS } from '../../support/simulation/model-sets.ts'
import { checkProperty } from './check-property.ts'
import { expectPromoted } from './expect-promoted.ts'
import { Installation, LINEAGE_NAMES, TOPICS, topicsOf } from './installation.ts'
import { arbitraryLog, lastModels, sourcesOf, stepsOf } from './make-log.ts'
import { until } from './memory-broker.ts'
import {
  countersOf,
  foldLog,
  namespaceOf,
  published,
  publishedOf,
  statesOf,
  storedAccounts,
} from './read-lineage.ts'

vi.setConfig({ testTimeout: 300_000 })

const NAME = 'v2'

const arbitraryRun = fc.record({
  seed: fc.nat(),
  partitions: fc.constantFrom(1, 2),
  times: fc.constantFrom(1, 2),
  batchSize: fc.constantFrom(1, 5, 100),
  checkpoints: fc.boolean(),
  mostCalls: fc.constantFrom(40, 200, 5_000, Number.POSITIVE_INFINITY),
  models: fc.option(fc.nat(MODEL_SETS.length - 1)),
  /** The steps at which things happen. */
  begunAt: fc.nat(30),
  promotedAfter: fc.nat(40),
  isToldTwice: fc.boolean(),
  emptied: fc.array(fc.record({ what: fc.constantFrom('old' as const, 'new' as const), after: fc.nat(20) }), {
    maxLength: 2,
  }),
  plan: arbitraryLog(150),
})

test('subscribers get each event once, from the old lineage before the promotion and the new one after it, whatever dies or is lost', async () => {
  await checkProperty(arbitraryRun, async run => {
    const { partitions, times, plan, models } = run
    const installation = new Installation(run)
    const { broker, lineages } = installation
    try {
      installation.configured = lastModels(installation, plan)
      installation.mostCalls = run.mostCalls
      installation.start()
      installation.start()
      const steps = stepsOf(installation, plan)
      const begunAt = Math.min(run.begunAt, steps.length - 1)
      const promotedAt = Math.min(begunAt + run.promotedAfter, steps.length - 1)
      for (const [i, { records, time }] of steps.entries()) {
        installation.wallMs = Math.max(installation.wallMs, time)
        if (i === begunAt) {
          const origin = { topic: TOPICS.signals, partitions, namespace: LINEAGE_NAMES.namespace }
          const own = models === null ? null : sourcesOf(installation, models)
          await installation.begin(
            { name: NAME, origin, from: null, to: null, models: own },
            partitions * times,
          )
          installation.start({ type: 'replay', name: NAME })
        }
        if (i === promotedAt || (run.isToldTwice && i === promotedAt + 1))
          // The second time it may serve already.
          await writePromotion(lineages, NAME, time).catch(error => {
            if (i === promotedAt) throw error
          })
        for (const { what, after } of run.emptied)
          if (i === promotedAt + after)
            installation.store(what === 'old' ? LINEAGE_NAMES.namespace : namespaceOf(NAME)).empty()
        // Ingest writes to the serving lineage. Some processes learn of it late.
        const { names } = await lineages.served()
        const isSignal = records.length === 1 && records[0]!.partition === undefined
        const topic = isSignal && i % 3 > 0 ? names.topics.signals : TOPICS.signals
        broker.append(records.map(record => ({ ...record, topic })))
        await sleep(i % 4 === 0 ? 1 : 0)
      }
      installation.calmDown()
      await installation.untilAtRest([NAME])
      await expectPromoted(installation, NAME, models !== null)
      expect((await lineages.served()).names.topics).toEqual(topicsOf(NAME))
    } finally {
      await installation.stopAll()
    }
  })
})

const arbitraryChain = fc.record({
  seed: fc.nat(),
  partitions: fc.constantFrom(1, 2),
  times: fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2)),
  batchSize: fc.constantFrom(1, 5, 100),
  checkpoints: fc.boolean(),
  mostCalls: fc.constantFrom(200, 5_000, Number.POSITIVE_INFINITY),
  /** Steps between: begun, promoted, the next begun, that promoted. */
  gaps: fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20)),
  emptied: fc.array(fc.record({ what: fc.constantFrom('', '/v2', '/v3'), at: fc.nat(100) }), {
    maxLength: 2,
  }),
  plan: arbitraryLog(120),
})

test('promotions in a row with the same models are invisible to subscribers', async () => {
  await checkProperty(arbitraryChain, async run => {
    const { times, plan } = run
    const installation = new Installation(run)
    const { broker, lineages } = installation
    const served = async () => (await lineages.served()).names
    const begin = async (name: string, by: number): Promise<void> => {
      const { topics, namespace } = await served()
      const origin = { topic: topics.signals, partitions: broker.partitions(topics.signals), namespace }
      await installation.begin({ name, origin, from: null, to: null, models: null }, by * origin.partitions)
      installation.start({ type: 'replay', name })
    }
    /** A promotion is refused, and repeated, until the previous one is complete. */
    const promote = async (name: string): Promise<void> => {
      await until(`${name} may be promoted`, () =>
        writePromotion(lineages, name, installation.wallMs).then(
          () => true,
          error => {
            if (!String(error).includes('has not announced all of its accounts')) throw error
            return false
          },
        ),
      )
      await until(`${name} serves`, async () => (await served()).namespace === namespaceOf(name), 30_000)
    }
    const actions = [
      () => begin('v2', times[0]),
      () => promote('v2'),
      () => begin('v3', times[1]),
      () => promote('v3'),
    ]
    try {
      installation.configured = lastModels(installation, plan)
      installation.mostCalls = run.mostCalls
      installation.start()
      installation.start()
      const steps = stepsOf(installation, plan)
      const logs = [TOPICS.signals]
      let done = 0
      let nextAt = run.gaps[0]
      for (const [i, { records, time }] of steps.entries()) {
        installation.wallMs = Math.max(installation.wallMs, time)
        while (done < actions.length && (i >= nextAt || i === steps.length - 1)) {
          await actions[done]!()
          done++
          nextAt = i + (run.gaps[done] ?? 0)
        }
        for (const { what, at } of run.emptied)
          if (i === at) installation.store(`${LINEAGE_NAMES.namespace}${what}`).empty()
        const { topics } = await served()
        if (!logs.includes(topics.signals)) logs.push(topics.signals)
        // Signals go to the newest log, or to an earlier one by a process that has not learnt of the
        // promotion.
        const isSignal = records.length === 1 && records[0]!.partition === undefined
        const topic = isSignal ? logs[i % logs.length]! : TOPICS.signals
        broker.append(records.map(record => ({ ...record, topic })))
        await sleep(i % 4 === 0 ? 1 : 0)
      }
      installation.calmDown()
      await installation.untilAtRest(['v2', 'v3'])
      await until('v3 serves', async () => (await served()).namespace === namespaceOf('v3'))
      // The newest log has all records, in the order in which they were scored.
      const { events, rejected, accounts, counters } = foldLog(installation, topicsOf('v3').signals)
      expect(published(installation, TOPICS)).toEqual(publishedOf(events))
      expect(broker.all(TOPICS['dead-letter']).length).toBe(rejected)
      expect(statesOf(await storedAccounts(installation, namespaceOf('v3')))).toEqual(statesOf(accounts))
      expect(await countersOf(installation, namespaceOf('v3'))).toEqual(counters)
      const scored = new Set(broker.all(TOPICS['account-scores']).map(({ key }) => String(key)))
      expect(scored).toEqual(new Set(accounts.keys()))
      // A new process also finds the serving lineage.
      const lineage = await installation.dying(Number.POSITIVE_INFINITY, anew => anew.served())
      expect(lineage.names.namespace).toBe(namespaceOf('v3'))
    } finally {
      await installation.stopAll()
    }
  })
})
