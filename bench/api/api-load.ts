import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism, loadavg } from 'node:os'
import { Command } from 'commander'
import { positiveNumber, wholeNumber } from '../../src/commands/parse-option.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { describeError } from '../../src/lib/errors.ts'
import { liveRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { topicsOfInstallation } from '../../src/log/topic-settings.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { openBenchBackend } from '../machine/bench-backend.ts'
import { deleteBenchTopics } from '../machine/bench-topics.ts'
import { startModule } from '../machine/child-process.ts'
import { childNamed, cpuSecondsIfKnown } from '../machine/process-usage.ts'
import { watchRedis } from '../machine/redis-usage.ts'
import { findServices } from '../machine/services.ts'
import { untilStored } from '../machine/until-stored.ts'
import { rebuildSignals } from '../rebuild/rebuild-log.ts'
import { atRank } from '../report/statistics.ts'
import { fillLog } from '../signals/fill-log.ts'
import { BENCH_MODELS, readModel } from '../signals/models.ts'
import { SIGNAL_STREAM } from '../signals/signals.ts'
import { type AnsweredLoad, type RequestLoad, sendRequests } from './api-load-requests.ts'
import type { SentSignals, SignalsToSend } from './api-load-signals.ts'
import { startRole } from './role-process.ts'

interface Options {
  readonly accounts: number
  readonly signals: number
  readonly documents: number
  readonly pages: number
  readonly seconds: number
  readonly connections: number
  readonly rounds: number
  readonly apiFlags: string
  readonly brokers?: string
  readonly redis?: string
}

const SEED = 42
const SIGNALS_OF_AN_ACCOUNT = 5
const PAGE_SIZE = 50
/** The pages of the list whose paths are requested again and again. */
const PAGES = 100
const PATIENCE_MS = 300_000

function buildProgram(): Command {
  return new Command('upswell-bench-api-load')
    .description(
      'measures how fast the API answers while signals come in; bench/README.md, "The API under load"',
    )
    .option('--accounts <number>', 'accounts that exist before', positiveNumber, 20_000)
    .option('--signals <number>', 'signals a second; 0: none', wholeNumber, 20_000)
    .option('--documents <number>', 'accounts requested a second', positiveNumber, 5_000)
    .option('--pages <number>', `pages of ${PAGE_SIZE} accounts requested a second`, positiveNumber, 100)
    .option('--seconds <number>', 'seconds to request each', positiveNumber, 15)
    .option('--connections <number>', 'connections to the API', positiveNumber, 32)
    .option('--rounds <number>', 'how often to request documents, then pages', positiveNumber, 2)
    .option('--api-flags <flags>', "Node flags for the API's process, for example --cpu-prof", '')
    .option('--brokers <host:port,…>', 'the Kafka to use; default: KAFKA_BROKERS')
    .option('--redis <url>', 'the Redis to use; default: REDIS_URL')
    .action(bench)
}

async function bench(options: Options): Promise<void> {
  const services = await findServices(options)
  const { brokers, redisUrl } = services
  const namespace = `upswell-bench-${randomUUID().slice(0, 8)}`
  const redis = await watchRedis(redisUrl)
  const backend = await openBenchBackend({ brokers, redisUrl, namespace })
  const stops: (() => Promise<unknown>)[] = []
  try {
    const topics = topicNames(`${namespace}-`)
    await backend.log.createTopics(topicsOfInstallation(topics, PARTITIONS))
    const known = new Set<string>()
    report(
      `filling the log with ${options.accounts * SIGNALS_OF_AN_ACCOUNT} signals of ${options.accounts} accounts`,
    )
    await fillLog(
      backend.log,
      topics.signals,
      [readModel('rolling-score')],
      recentHistory(options.accounts, known),
    )
    await backend.log.append(
      Array.from({ length: PARTITIONS }, (_, partition) => liveRecord(topics.signals, partition)),
    )
    const environment = {
      KAFKA_BROKERS: brokers.join(','),
      REDIS_URL: redisUrl,
      UPSWELL_NAMESPACE: namespace,
      UPSWELL_TOPIC_PREFIX: `${namespace}-`,
      UPSWELL_GROUP: namespace,
      UPSWELL_MODELS: BENCH_MODELS['rolling-score'],
      UPSWELL_LOG_LEVEL: 'info',
    }
    const scorer = await startRole('score', environment)
    stops.push(scorer.stop)
    report('scoring them')
    await untilStored(backend, topics.signals, PATIENCE_MS)
    const api = await startRole(
      'api',
      environment,
      options.apiFlags.split(' ').filter(flag => flag !== ''),
    )
    stops.push(api.stop)

    const documents = [...known].map(id => `/v1/accounts/${id}`)
    const pages = await pagePaths(api.url)
    const signalsToSend: SignalsToSend = {
      brokers,
      topic: topics.signals,
      signalsPerSecond: options.signals,
      seed: SEED + 1,
    }
    const sender =
      options.signals === 0
        ? undefined
        : startModule(new URL('./api-load-signals.js', import.meta.url), signalsToSend)
    const processes = {
      API: () => cpuSecondsIfKnown(api.pid),
      scorer: () => cpuSecondsIfKnown(scorer.pid),
      Redis: () => redis.cpuSeconds(),
      broker: () => cpuSecondsIfKnown(childNamed('java')),
      'sender of signals': () => cpuSecondsIfKnown(sender?.pid),
      'sender of requests': () => cpuSecondsIfKnown(process.pid),
    }
    // After this, joining, compiling and loading the first pages are done.
    const load = { url: api.url, connections: options.connections }
    await sendRequests({ ...load, paths: documents, requestsPerSecond: options.documents, seconds: 3 })
    process.stdout.write(
      `Node ${process.version}, ${availableParallelism()} cores, ${options.accounts} accounts, ${PARTITIONS} partitions, ${options.connections} connections\n\n` +
        `| asked for | asked/s | answered/s | p50 ms | p99 ms | max ms | p99 ms from the sending | own pause ms | not 200 | broken | KB an answer | signals/s sent | signals/s scored | behind at the end | CPU cores of ${Object.keys(processes).join(', ')} | load |\n|${' --: |'.repeat(16)}\n`,
    )
    for (let round = 0; round < options.rounds; round++) {
      for (const [name, paths, requestsPerSecond] of [
        ['documents', documents, options.documents],
        [`pages of ${PAGE_SIZE}`, pages, options.pages],
      ] as const) {
        const before = await readings(backend, topics.signals, processes)
        const answered = await sendRequests({ ...load, paths, requestsPerSecond, seconds: options.seconds })
        const after = await readings(backend, topics.signals, processes)
        process.stdout.write(
          rowOf(
            name,
            { ...load, paths, requestsPerSecond, seconds: options.seconds },
            answered,
            before,
            after,
          ),
        )
      }
    }
    if (sender !== undefined) {
      sender.send('stop')
      const [sent] = (await once(sender, 'message')) as [SentSignals]
      report(`${Math.round(sent.sent / sent.seconds)} signals a second were sent in all`)
    }
  } finally {
    for (const stop of stops.reverse()) await stop()
    await backend.close()
    await redis.forget(namespace)
    redis.close()
    await deleteBenchTopics(brokers, namespace)
    await services.stop()
  }
}

/**
 * Signals of all accounts that end now, so that new signals fall on the same days. Adds each account that has
 * a signal to `known`.
 */
function* recentHistory(accounts: number, known: Set<string>): Generator<Signal> {
  const { start, spanMs } = SIGNAL_STREAM
  const shiftMs = Date.now() - (start + spanMs)
  for (const signal of rebuildSignals({ accounts, perAccount: SIGNALS_OF_AN_ACCOUNT, seed: SEED })) {
    known.add(signal.accountId)
    yield { ...signal, occurredAt: signal.occurredAt + shiftMs }
  }
}

/** The first pages of the list, in order. */
async function pagePaths(url: string): Promise<string[]> {
  const paths: string[] = []
  let path = `/v1/accounts?limit=${PAGE_SIZE}`
  while (paths.length < PAGES) {
    paths.push(path)
    const { nextCursor } = (await (await fetch(url + path)).json()) as { nextCursor: string | null }
    if (nextCursor === null) break
    path = `/v1/accounts?limit=${PAGE_SIZE}&cursor=${nextCursor}`
  }
  return paths
}

interface Readings {
  readonly at: number
  readonly cpuSeconds: readonly (number | undefined)[]
  /** Records in the log, and how many of them are in the store. */
  readonly sent: number
  readonly scored: number
}

async function readings(
  { log, store }: Backend,
  topic: string,
  processes: Readonly<Record<string, () => number | undefined | Promise<number | undefined>>>,
): Promise<Readings> {
  let sent = 0
  let scored = 0
  for (const [partition, { end }] of await log.ranges(topic)) {
    sent += end
    scored += await store.readStoredOffset(partition)
  }
  const cpuSeconds = await Promise.all(Object.values(processes).map(read => read()))
  return { at: performance.now(), cpuSeconds, sent, scored }
}

function rowOf(
  name: string,
  load: RequestLoad,
  answered: AnsweredLoad,
  before: Readings,
  after: Readings,
): string {
  const seconds = (after.at - before.at) / 1000
  const cores = after.cpuSeconds.map((cpuSeconds, i) => {
    const earlier = before.cpuSeconds[i]
    return cpuSeconds === undefined || earlier === undefined
      ? '?'
      : ((cpuSeconds - earlier) / seconds).toFixed(2)
  })
  const { latenciesMs, serviceMs } = answered
  const others = [...answered.otherStatuses].map(([status, count]) => `${count} × ${status}`).join(', ')
  const columns = [
    name,
    load.requestsPerSecond,
    Math.round(answered.answered / answered.seconds),
    atRank(latenciesMs, 0.5).toFixed(2),
    atRank(latenciesMs, 0.99).toFixed(2),
    atRank(latenciesMs, 1).toFixed(1),
    atRank(serviceMs, 0.99).toFixed(2),
    answered.longestPauseMs.toFixed(0),
    others === '' ? 0 : others,
    answered.errors,
    (answered.bodyBytes / Math.max(1, answered.answered) / 1000).toFixed(1),
    Math.round((after.sent - before.sent) / seconds),
    Math.round((after.scored - before.scored) / seconds),
    after.sent - after.scored,
    cores.join(' '),
    loadavg()[0]!.toFixed(1),
  ]
  return `| ${columns.join(' | ')} |\n`
}

function report(line: string): void {
  process.stderr.write(`${line}\n`)
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench-api-load: ${describeError(error)}\n`)
  process.exitCode = 1
}
