import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { readConfig } from '../../src/app/config.ts'
import { positiveNumber } from '../../src/commands/parse-option.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { describeError } from '../../src/lib/errors.ts'
import type { Position } from '../../src/log/log.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { liveRecord, signalRecord } from '../../src/log/signals-topic-records.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { openBenchBackend } from '../machine/bench-backend.ts'
import { createBenchTopics, deleteBenchTopics, topicsOfRun } from '../machine/bench-topics.ts'
import { startModule } from '../machine/child-process.ts'
import { watchRedis } from '../machine/redis-usage.ts'
import { findServices } from '../machine/services.ts'
import { untilStored } from '../machine/until-stored.ts'
import { atRank } from '../report/statistics.ts'
import { fillLog } from '../signals/fill-log.ts'
import { readModel } from '../signals/models.ts'
import { copyAccounts, MIDNIGHT, signalsOfOneDay } from './midnight-accounts.ts'
import type { MidnightJob, MidnightRun, Step } from './midnight-run.ts'

interface Options {
  readonly accounts: number
  readonly batchSize: number
  readonly tickInterval: number
  readonly brokers?: string
  readonly redis?: string
}

/** The product's defaults, whatever the environment sets. */
const PRODUCT = readConfig({})
const SEED = 42
/** The other accounts are copies of these. */
const FOLDED_ACCOUNTS = 2_000
const BEFORE_MIDNIGHT_MS = 8_000
const PROBE_INTERVAL_MS = 50
const PATIENCE_MS = 900_000

function buildProgram(): Command {
  return new Command('upswell-bench-midnight')
    .description(
      'measures how long a midnight with all accounts due holds up a partition; bench/README.md, "A midnight"',
    )
    .option('--accounts <number>', 'accounts that are due, over all partitions', positiveNumber, 1_000_000)
    .option('--batch-size <number>', 'the most records in a batch', positiveNumber, PRODUCT.batchSize)
    .option(
      '--tick-interval <ms>',
      'time between two looks at the clock',
      positiveNumber,
      PRODUCT.tickIntervalMs,
    )
    .option('--brokers <host:port,…>', 'the Kafka to use; default: KAFKA_BROKERS')
    .option('--redis <url>', 'the Redis to use; default: REDIS_URL')
    .action(bench)
}

async function bench(options: Options): Promise<void> {
  const services = await findServices(options)
  const { brokers, redisUrl } = services
  const namespace = `upswell-bench-${randomUUID().slice(0, 8)}`
  const address = { brokers, redisUrl, namespace }
  const redis = await watchRedis(redisUrl)
  const backend = await openBenchBackend(address)
  try {
    const signalsTopic = `${namespace}-signals`
    await createBenchTopics(brokers, Object.values(topicsOfRun(namespace, signalsTopic)))
    const folded = Math.min(FOLDED_ACCOUNTS, options.accounts)
    report(`folding ${folded} accounts`)
    await fillLog(backend.log, signalsTopic, [readModel('rolling-score')], signalsOfOneDay(folded, SEED))
    await backend.log.append(
      Array.from({ length: PARTITIONS }, (_, partition) => liveRecord(signalsTopic, partition)),
    )
    const job: MidnightJob = {
      address,
      signalsTopic,
      batchSize: options.batchSize,
      flushIntervalMs: PRODUCT.flushIntervalMs,
      aheadMs: 0,
      tickIntervalMs: 0,
    }
    await runScorer(job, () => untilStored(backend, signalsTopic, PATIENCE_MS))
    report('copying them')
    const accounts = await copyAccounts(
      backend,
      PARTITIONS,
      Math.max(1, Math.round(options.accounts / folded)),
    )

    const aheadMs = MIDNIGHT - BEFORE_MIDNIGHT_MS - Date.now()
    const due = await countDue(backend)
    if (due !== accounts) throw new Error(`${due} of ${accounts} accounts are due at midnight`)
    report(`${accounts} accounts are due at midnight, in ${BEFORE_MIDNIGHT_MS / 1000} s`)
    const probes: Probe[] = []
    let doneAt = 0
    const redisBefore = await redis.cpuSeconds()
    const run = await runScorer({ ...job, aheadMs, tickIntervalMs: options.tickInterval }, async () => {
      const stop = startProbes(backend, signalsTopic, aheadMs, folded, probes)
      await untilNobodyIsDue(backend, aheadMs)
      doneAt = Date.now()
      await sleep(2_000)
      await stop()
      await untilStored(backend, signalsTopic, PATIENCE_MS)
    })
    const redisCpuSeconds = (await redis.cpuSeconds()) - redisBefore
    process.stdout.write(
      `Node ${process.version}, ${availableParallelism()} cores, ${PARTITIONS} partitions, batches of ${options.batchSize}, load ${loadavg()[0]!.toFixed(1)}\n\n` +
        renderMidnight(accounts, MIDNIGHT - aheadMs, doneAt, run, redisCpuSeconds, probes),
    )
  } finally {
    await backend.close()
    await redis.forget(namespace)
    redis.close()
    await deleteBenchTopics(brokers, namespace)
    await services.stop()
  }
}

/** Runs a scorer for as long as `work` takes. */
async function runScorer(job: MidnightJob, work: () => Promise<void>): Promise<MidnightRun> {
  const child = startModule(new URL('./midnight-run.js', import.meta.url), job)
  const answer = once(child, 'message')
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the scorer ended with exit code ${code}`)
  })
  await Promise.race([work(), ended])
  child.send('stop')
  const [run] = (await Promise.race([answer, ended])) as [MidnightRun]
  await ended.catch(() => {})
  return run
}

/** A signal that is sent during the midnight: when it was due, and its offset after it was sent. */
interface Probe {
  readonly dueAt: number
  position: Position | undefined
}

function startProbes(
  { log }: Backend,
  topic: string,
  aheadMs: number,
  accounts: number,
  probes: Probe[],
): () => Promise<void> {
  // One account of each partition. The hash of its name decides the partition.
  const ids = Array.from({ length: accounts }, (_, i) => `account-${i}`)
  const byPartition = Array.from(
    { length: PARTITIONS },
    (_, partition) => ids.find(id => partitionOf(id, PARTITIONS) === partition)!,
  )
  const sending: Promise<void>[] = []
  const timer = setInterval(() => {
    const now = Date.now()
    const probe: Probe = { dueAt: now, position: undefined }
    const accountId = byPartition[probes.length % PARTITIONS]!
    probes.push(probe)
    const signal = {
      id: `probe-${probes.length}`,
      kind: 'usage',
      name: 'search.run',
      accountId,
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt: now + aheadMs,
    } as const
    sending.push(
      log.append([signalRecord(topic, signal, now + aheadMs)]).then(([position]) => {
        probe.position = position
      }),
    )
  }, PROBE_INTERVAL_MS)
  return async () => {
    clearInterval(timer)
    await Promise.all(sending)
  }
}

async function untilNobodyIsDue(backend: Backend, aheadMs: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (Date.now() + aheadMs < MIDNIGHT || (await countDue(backend)) > 0) {
    if (performance.now() > deadline) throw new Error(`accounts are still due after ${PATIENCE_MS / 1000} s`)
    await sleep(200)
  }
}

async function countDue({ store }: Backend): Promise<number> {
  let due = 0
  for (let partition = 0; partition < PARTITIONS; partition++)
    due += await store.countDue(partition, MIDNIGHT)
  return due
}

function renderMidnight(
  accounts: number,
  midnightAt: number,
  doneAt: number,
  run: MidnightRun,
  redisCpuSeconds: number,
  probes: readonly Probe[],
): string {
  const behind = run.steps.filter(({ to }) => to >= midnightAt)
  const stalls = Float64Array.from(behind, ({ from, to }) => to - from).sort()
  const waits = (among: readonly Probe[]) =>
    Float64Array.from(among.map(probe => waitOf(probe, run.steps))).sort()
  // By then the scorer has joined.
  const before = waits(probes.filter(({ dueAt }) => Math.abs(dueAt - midnightAt + 2_500) < 1_500))
  const during = waits(probes.filter(({ dueAt }) => dueAt >= midnightAt && dueAt <= doneAt))
  const seconds = (doneAt - midnightAt) / 1000
  const rows: readonly (readonly [string, string])[] = [
    ['accounts due', accounts.toLocaleString('en')],
    ['until nobody was due, s', seconds.toFixed(1)],
    ['accounts/s', Math.round(accounts / seconds).toLocaleString('en')],
    ['CPU s of the scorer, and of Redis', `${run.cpuSeconds.toFixed(1)}, ${redisCpuSeconds.toFixed(1)}`],
    ['peak RSS of the scorer, MiB', Math.round(run.peakRssBytes / 2 ** 20).toLocaleString('en')],
    ['tier changes', run.tierChanges.toLocaleString('en')],
    ['commits', behind.length.toLocaleString('en')],
    [
      'from taking records, or beginning to write the store between batches, to having committed, ms: median, p99, longest',
      figures(stalls),
    ],
    ['what a signal waited before midnight, ms: median, p99, longest', figures(before)],
    ['what a signal waited in the midst, ms: median, p99, longest', figures(during)],
  ]
  return `| | |\n| --- | ---: |\n${rows.map(([name, value]) => `| ${name} | ${value} |\n`).join('')}`
}

/** ms until the batch with the signal was committed. */
function waitOf({ dueAt, position }: Probe, steps: readonly Step[]): number {
  const step = steps.find(
    ({ partition, nextOffset }) => partition === position!.partition && nextOffset > position!.offset,
  )
  return step === undefined ? Number.POSITIVE_INFINITY : step.to - dueAt
}

function figures(ascending: Float64Array): string {
  return [0.5, 0.99, 1].map(share => atRank(ascending, share).toFixed(0)).join(', ')
}

function report(line: string): void {
  process.stderr.write(`${line}\n`)
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench-midnight: ${describeError(error)}\n`)
  process.exitCode = 1
}
