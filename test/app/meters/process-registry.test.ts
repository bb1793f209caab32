import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { memoryBudget } from '../../../src/app/memory-budget.ts'
import { createMeters } from '../../../src/app/meters/meters.ts'
import { ProcessRegistry } from '../../../src/app/meters/process-registry.ts'
import { ProcessMemory } from '../../../src/app/process-memory.ts'

const MEMORY = new ProcessMemory(
  memoryBudget({
    settingMib: 512,
    containerBytes: undefined,
    machineBytes: 2 ** 34,
    heapBytes: 2 ** 31,
    threads: 1,
  }),
)

/** What a thread posts, as the main thread gets it. */
async function posted(registry: Registry) {
  return structuredClone(await registry.getMetricsAsJSON())
}

test('adds up the counts and times of the process and its threads', async () => {
  const registries = [new ProcessRegistry(), new Registry(), new Registry()]
  const names = { labelNames: ['result'], help: 'help' }
  for (const [i, registry] of registries.entries()) {
    new Counter({ name: 'records_total', ...names, registers: [registry] }).inc({ result: 'done' }, i + 1)
    const times = new Histogram({ name: 'time_seconds', ...names, buckets: [1, 5], registers: [registry] })
    times.observe({ result: 'done' }, i * 2)
  }
  const process = registries[0] as ProcessRegistry
  process.setThread('thread 1', await posted(registries[1]!))
  process.setThread('thread 2', await posted(registries[2]!))
  const text = await process.metrics()
  expect(text.match(/^records_total.*$/gm)).toEqual(['records_total{result="done"} 6'])
  expect(text.match(/^time_seconds.*$/gm)).toEqual([
    'time_seconds_bucket{le="1",result="done"} 1',
    'time_seconds_bucket{le="5",result="done"} 3',
    'time_seconds_bucket{le="+Inf",result="done"} 3',
    'time_seconds_sum{result="done"} 6',
    'time_seconds_count{result="done"} 3',
  ])
})

test('shows each partition once, whichever thread has it, and also while it moves', async () => {
  const process = new ProcessRegistry()
  createMeters(process, MEMORY)
  for (const name of ['thread 1', 'thread 2']) {
    const registry = new Registry()
    const meters = createMeters(registry, MEMORY)
    meters.scorer.filling('signals', 3, { done: name === 'thread 1' ? 5 : 7, total: 9 })
    process.setThread(name, await posted(registry))
  }
  expect((await process.metrics()).match(/^upswell_fill_.*$/gm)).toEqual([
    'upswell_fill_accounts{topic="signals",partition="3"} 9',
    'upswell_fill_done_accounts{topic="signals",partition="3"} 7',
  ])
})

test('has the same metrics with threads as without, the start of the process too', async () => {
  const process = new ProcessRegistry()
  collectDefaultMetrics({ register: process })
  createMeters(process, MEMORY)
  const names = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name).sort()
  const alone = names(await process.metrics())
  const thread = new Registry()
  createMeters(thread, MEMORY)
  process.setThread('thread 1', await posted(thread))
  expect(names(await process.metrics())).toEqual(alone)
  expect(alone).toContain('process_start_time_seconds')
})

test('answers with the newest values of a thread', async () => {
  const process = new ProcessRegistry()
  const registry = new Registry()
  const gauge = new Gauge({ name: 'lag', help: 'help', registers: [registry] })
  for (const lag of [5, 3]) {
    gauge.set(lag)
    process.setThread('thread 1', await posted(registry))
  }
  expect(await process.values('lag')).toEqual([3])
  expect(await process.values('none')).toEqual([])
})
