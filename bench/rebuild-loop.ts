import { randomUUID } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import type { ScoreOptions } from '../src/consumers/score-partition.ts'
import { CHECKPOINTS } from '../src/consumers/topics.ts'
import { describeError } from '../src/errors.ts'
import { PARTITIONS } from './jobs.ts'
import { createBenchTopics, deleteBenchTopics, topicsOfRun } from './kafka-bench-topics.ts'
import { peakRssBytes } from './measure.ts'
import { readModel } from './models.ts'
import { watchRedis } from './redis-usage.ts'
import { fillKafka, openBenchBackend } from './run-kafka.ts'
import { type ScoreLogOptions, scoreLog } from './score-log.ts'
import { findServices } from './services.ts'
import { benchSignals } from './signals.ts'

interface Options {
  readonly signals: number
  readonly rounds: number
  readonly brokers?: string
  readonly redis?: string
}

/** 0: no checkpoints. 1: the next one begins as soon as one is complete. */
const INTERVALS_MS = [0, 300_000, 5_000, 1]
const SEED = 42
const BATCH_SIZE = 500

function buildProgram(): Command {
  return new Command('upswell-bench-rebuild-loop')
    .description(
      'measures what the writing of checkpoints costs the score loop; bench/README.md, "Rebuilding"',
    )
    .option('--signals <number>', 'signals of each run', positiveNumber, 200_000)
    .option('--rounds <number>', 'rounds of all intervals', positiveNumber, 2)
    .option('--brokers <host:port,…>', 'the Kafka to use; KAFKA_BROKERS if left out')
    .option('--redis <url>', 'the Redis to use; REDIS_URL if left out')
    .action(bench)
}

/** Round after round in one process, which is warm after the first run, whose figures are left out. */
async function bench(options: Options): Promise<void> {
  const { signals: count, rounds } = options
  const services = await findServices(options)
  const { brokers, redisUrl } = services
  const prefix = `upswell-bench-${randomUUID().slice(0, 8)}`
  const signalsTopic = `${prefix}-signals`
  const redis = await watchRedis(redisUrl)
  try {
    const place = { brokers, redisUrl, namespace: prefix }
    const signals = benchSignals({ count, seed: SEED })
    const records = await fillKafka(place, signalsTopic, readModel('rolling-score'), signals)
    process.stdout.write(
      `Node ${process.version}, ${availableParallelism()} cores, ${count.toLocaleString('en')} signals, ${PARTITIONS} partitions, batches of ${BATCH_SIZE}\n\n` +
        "| interval, ms | signals/s | CPU s per million | Redis' CPU s per million | checkpoint records | load after |\n" +
        `|${' --: |'.repeat(6)}\n`,
    )
    await run(0)
    for (let round = 0; round < rounds; round++)
      for (const intervalMs of INTERVALS_MS) process.stdout.write(`${await run(intervalMs)}\n`)

    async function run(intervalMs: number): Promise<string> {
      const namespace = `${prefix}-run-${randomUUID().slice(0, 8)}`
      const topics = topicsOfRun(namespace, signalsTopic)
      await createBenchTopics(brokers, Object.values(topics))
      const backend = await openBenchBackend({ ...place, namespace })
      try {
        const redisBefore = await redis.cpuSeconds()
        const topic = topics[CHECKPOINTS]
        // The loop takes them from its options.
        const scored: ScoreLogOptions & Pick<ScoreOptions, 'checkpoints'> = {
          backend,
          topics,
          models: [readModel('rolling-score')],
          batchSize: BATCH_SIZE,
          records,
          ...(intervalMs === 0 ? {} : { checkpoints: { topic, timing: { intervalMs, now: Date.now } } }),
        }
        const { seconds, cpuSeconds } = await scoreLog(scored)
        const redisCpuSeconds = (await redis.cpuSeconds()) - redisBefore
        let written = 0
        for (const { first, end } of (await backend.log.ranges(topic)).values()) written += end - first
        const row = [
          intervalMs.toLocaleString('en'),
          Math.round(count / seconds).toLocaleString('en'),
          ((cpuSeconds / count) * 1e6).toFixed(1),
          ((redisCpuSeconds / count) * 1e6).toFixed(1),
          written.toLocaleString('en'),
          loadavg()[0]!.toFixed(1),
        ]
        return `| ${row.join(' | ')} |`
      } finally {
        await backend.close()
        await redis.forget(namespace)
      }
    }
  } finally {
    redis.close()
    await deleteBenchTopics(brokers, prefix)
    await services.stop()
  }
  process.stderr.write(`peak RSS ${Math.round(peakRssBytes() / 2 ** 20)} MiB\n`)
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
  process.stderr.write(`upswell-bench-rebuild-loop: ${describeError(error)}\n`)
  process.exitCode = 1
}
