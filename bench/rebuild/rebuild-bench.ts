import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { readModelFiles } from '../../src/app/read-model-files.ts'
import { CHECKPOINTS } from '../../src/log/topic-names.ts'
import { topicsOfInstallation } from '../../src/log/topic-settings.ts'
import type { ModelSource } from '../../src/models/model-library.ts'
import { countAccounts } from '../curves/curve-runs.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { openBenchBackend } from '../machine/bench-backend.ts'
import type { BenchServers } from '../machine/bench-servers.ts'
import { recreateTopics } from '../machine/bench-topics.ts'
import { forkForResult } from '../machine/child-process.ts'
import { newInstallation } from '../machine/installation.ts'
import { watchRedis } from '../machine/redis-usage.ts'
import { MIB, number, table } from '../report/markdown.ts'
import { fillLog } from '../signals/fill-log.ts'
import { readModel } from '../signals/models.ts'
import type { Command, CommandUsage } from './command-run.ts'
import { writeCheckpoint } from './rebuild-checkpoint.ts'
import { commitAll, rebuildSignals } from './rebuild-log.ts'

export interface RebuildChoice {
  /** Accounts whose signals are folded. */
  readonly accounts: number
  /** Signals of each account, on average. */
  readonly signals: number
  /**
   * How often each account is in the checkpoint, under different names. The copies' signals need not be
   * folded.
   */
  readonly copies: number
  readonly models: 'rolling-score' | 'shipped'
}

/** The cost of one command. */
export interface RebuildRun extends CommandUsage {
  readonly from: 'the log' | 'a checkpoint' | 'the log, as a replay'
  readonly accounts: number
  readonly redisCpuSeconds: number
}

const SEED = 42

/** A rebuild from the log, one from a checkpoint, and a replay. No scorer runs at the same time. */
export function benchRebuild(
  servers: BenchServers,
  choice: RebuildChoice,
  onStep: (done: string) => void,
): Promise<RebuildRun[]> {
  return servers.withRedis(async redisUrl => {
    const { accounts, signals, copies } = choice
    const { brokers, log } = servers
    const { topics, topicPrefix } = newInstallation(brokers)
    const namespace = topicPrefix.slice(0, -1)
    const redis = await watchRedis(redisUrl)
    const backend = await openBenchBackend({ brokers, redisUrl, namespace })
    const { PATH = '', HOME = '' } = process.env
    const environment = {
      PATH,
      HOME,
      KAFKA_BROKERS: brokers.join(','),
      REDIS_URL: redisUrl,
      UPSWELL_NAMESPACE: namespace,
      UPSWELL_TOPIC_PREFIX: topicPrefix,
      UPSWELL_GROUP: namespace,
      UPSWELL_LOG_LEVEL: 'warn',
    }
    const measure = async (from: RebuildRun['from'], many: number, command: Command): Promise<RebuildRun> => {
      const redisBefore = await redis.cpuSeconds()
      const usage = await forkForResult<CommandUsage>(
        new URL('./command-run.js', import.meta.url),
        command,
        environment,
      )
      onStep(`rebuilt from ${from}`)
      return { ...usage, from, accounts: many, redisCpuSeconds: (await redis.cpuSeconds()) - redisBefore }
    }
    try {
      await recreateTopics(brokers, topicsOfInstallation(topics, PARTITIONS))
      const all = rebuildSignals({ accounts, perAccount: signals, seed: SEED })
      await fillLog(log, topics.signals, await readModels(choice), all)
      await commitAll(brokers, log, `${namespace}-score`, topics.signals)
      onStep(`made ${accounts * signals} signals`)
      const fromLog = await measure('the log', accounts, { name: 'rebuild', options: { fromLog: true } })
      const held = await countAccounts(backend.store)
      const topic = topics[CHECKPOINTS]
      await writeCheckpoint({ backend, topic, partitions: PARTITIONS, copies })
      onStep(`wrote a checkpoint of ${held * copies} accounts`)
      const fromCheckpoint = await measure('a checkpoint', held * copies, { name: 'rebuild', options: {} })
      const found = await countAccounts(backend.store)
      if (found !== held * copies)
        throw new Error(`the store holds ${found} accounts after the rebuild, not ${held * copies}`)
      const replayed = await measure('the log, as a replay', held, {
        name: 'replay',
        options: { into: 'again', to: 'now' },
      })
      return [{ ...fromLog, accounts: held }, fromCheckpoint, replayed]
    } finally {
      await backend.close()
      redis.close()
    }
  })
}

/** How often `onStep` is called. */
export const REBUILD_STEPS = 5

export function renderRebuild(runs: readonly RebuildRun[], { signals, models }: RebuildChoice): string {
  const header = [
    'made from',
    'accounts',
    'seconds',
    'accounts/s',
    'CPU s',
    'CPU ms an account',
    "Redis' CPU s",
    'peak RSS MiB',
  ]
  const rows = runs.map(({ from, accounts, seconds, cpuSeconds, redisCpuSeconds, peakRssBytes }) => [
    from,
    number(accounts),
    number(seconds, 1),
    number(accounts / seconds),
    number(cpuSeconds, 1),
    number((cpuSeconds * 1000) / accounts, 3),
    number(redisCpuSeconds, 1),
    number(peakRssBytes / MIB),
  ])
  const which = models === 'shipped' ? 'the models that ship' : 'rolling-score'
  return [
    `${number(signals)} signals an account on average, ${which}.`,
    '',
    ...table([header, ...rows]),
  ].join('\n')
}

async function readModels({ models }: RebuildChoice): Promise<ModelSource[]> {
  return models === 'rolling-score'
    ? [readModel('rolling-score')]
    : [...(await readModelFiles([join(PACKAGE_ROOT, 'models')]))]
}
