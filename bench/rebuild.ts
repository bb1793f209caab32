import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { RebuildOptions } from '../src/commands/rebuild.ts'
import { PACKAGE_ROOT } from '../src/config.ts'
import { topicsOfInstallation } from '../src/consumers/topic-settings.ts'
import { CHECKPOINTS, topicNames } from '../src/consumers/topics.ts'
import { describeError } from '../src/errors.ts'
import type { ModelSource } from '../src/models/model-library.ts'
import { readModelFiles } from '../src/read-model-files.ts'
import { fillLog } from './fill-log.ts'
import { PARTITIONS } from './jobs.ts'
import { deleteBenchTopics } from './kafka-bench-topics.ts'
import { readModel } from './models.ts'
import { writeCheckpoint } from './rebuild-checkpoint.ts'
import { commitAll, rebuildSignals } from './rebuild-log.ts'
import type { RebuildUsage } from './rebuild-run.ts'
import { watchRedis } from './redis-usage.ts'
import { openBenchBackend } from './run-kafka.ts'
import { findServices } from './services.ts'

interface Options {
  readonly accounts: number
  readonly signals: number
  readonly copies: number
  readonly models: 'rolling-score' | 'shipped'
  readonly rounds: number
  readonly brokers?: string
  readonly redis?: string
}

const SEED = 42

function buildProgram(): Command {
  return new Command('upswell-bench-rebuild')
    .description('measures how long `upswell rebuild` takes; bench/README.md, "Rebuilding"')
    .option('--accounts <number>', 'accounts that signals are folded of', positiveNumber, 10_000)
    .option('--signals <number>', 'signals of each account, on average', positiveNumber, 15)
    .option('--copies <number>', 'how often each account is in the checkpoint', positiveNumber, 1)
    .addOption(
      new Option('--models <models>', 'bench/rolling-score.yaml, or the five that ship')
        .choices(['rolling-score', 'shipped'])
        .default('rolling-score'),
    )
    .option('--rounds <number>', 'rebuilds from the log, and as many from the checkpoint', positiveNumber, 1)
    .option('--brokers <host:port,…>', 'the Kafka to use; KAFKA_BROKERS if left out')
    .option('--redis <url>', 'the Redis to use; REDIS_URL if left out')
    .action(bench)
}

async function bench(options: Options): Promise<void> {
  const services = await findServices(options)
  const { brokers, redisUrl } = services
  const namespace = `upswell-bench-${randomUUID().slice(0, 8)}`
  const redis = await watchRedis(redisUrl)
  const backend = await openBenchBackend({ brokers, redisUrl, namespace })
  try {
    const { log } = backend
    const topics = topicNames(`${namespace}-`)
    await log.createTopics(topicsOfInstallation(topics, PARTITIONS))
    const { accounts, signals, copies } = options
    tell(`filling the log with ${accounts * signals} signals of ${accounts} accounts`)
    const all = rebuildSignals({ accounts, perAccount: signals, seed: SEED })
    await fillLog(log, topics.signals, await readModels(options), all)
    await commitAll(brokers, log, `${namespace}-score`, topics.signals)

    const environment = {
      KAFKA_BROKERS: brokers.join(','),
      REDIS_URL: redisUrl,
      UPSWELL_NAMESPACE: namespace,
      UPSWELL_TOPIC_PREFIX: `${namespace}-`,
      UPSWELL_GROUP: namespace,
      UPSWELL_LOG_LEVEL: 'warn',
    }
    const measure = async (from: string, rebuilt: number, command: RebuildOptions): Promise<void> => {
      const loadBefore = loadavg()[0]!
      const redisBefore = await redis.cpuSeconds()
      const usage = await runInChild(environment, command)
      const redisCpuSeconds = (await redis.cpuSeconds()) - redisBefore
      const row = [
        rebuilt.toLocaleString('en'),
        options.models,
        from,
        usage.seconds.toFixed(1),
        Math.round(rebuilt / usage.seconds).toLocaleString('en'),
        usage.cpuSeconds.toFixed(1),
        redisCpuSeconds.toFixed(1),
        Math.round(usage.peakRssBytes / 2 ** 20).toLocaleString('en'),
        loadBefore.toFixed(1),
      ]
      process.stdout.write(`| ${row.join(' | ')} |\n`)
    }
    process.stdout.write(
      `Node ${process.version}, ${availableParallelism()} cores, ${PARTITIONS} partitions\n\n` +
        "| accounts | models | from | seconds | accounts/s | CPU s | Redis' CPU s | peak RSS MiB | load before |\n" +
        `|${' --: |'.repeat(9)}\n`,
    )
    const count = async (): Promise<number> => {
      let sum = 0
      for (let partition = 0; partition < PARTITIONS; partition++)
        sum += await backend.store.countDue(partition, Number.POSITIVE_INFINITY)
      return sum
    }
    for (let round = 0; round < options.rounds; round++) await measure('log', accounts, { fromLog: true })
    const held = await count()
    tell(`writing the checkpoint`)
    const records = await writeCheckpoint({
      backend,
      topic: topics[CHECKPOINTS],
      partitions: PARTITIONS,
      copies,
    })
    tell(`the checkpoint has ${records} records of ${held * copies} accounts`)
    for (let round = 0; round < options.rounds; round++) await measure('checkpoint', held * copies, {})
    if ((await count()) !== held * copies)
      throw new Error(`the store holds ${await count()} accounts, not ${held * copies}`)
  } finally {
    await backend.close()
    await redis.forget(namespace)
    redis.close()
    await deleteBenchTopics(brokers, namespace)
    await services.stop()
  }
}

async function readModels({ models }: Options): Promise<ModelSource[]> {
  return models === 'rolling-score'
    ? [readModel('rolling-score')]
    : [...(await readModelFiles([join(PACKAGE_ROOT, 'models')]))]
}

async function runInChild(
  environment: Readonly<Record<string, string>>,
  options: RebuildOptions,
): Promise<RebuildUsage> {
  const { PATH = '', HOME = '' } = process.env
  const child = fork(fileURLToPath(new URL('./rebuild-run.js', import.meta.url)), [JSON.stringify(options)], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let usage: RebuildUsage | undefined
  child.once('message', message => {
    usage = message as RebuildUsage
  })
  const [code] = await once(child, 'exit')
  if (usage === undefined || code !== 0) throw new Error(`the rebuild ended with exit code ${code}`)
  return usage
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

function positiveNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('a whole number from 1 is accepted')
  return number
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench-rebuild: ${describeError(error)}\n`)
  process.exitCode = 1
}
