import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { describeError } from '../../src/lib/errors.ts'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { PARTITIONS } from '../jobs/jobs.ts'
import { connectionTo } from '../machine/bench-topics.ts'
import { createSignalsTopic, newInstallation, prepareRun } from '../machine/installation.ts'
import { type ServerProcess, startBenchBroker, startBenchRedis } from '../machine/servers.ts'
import { number, table } from '../report/markdown.ts'
import { CommitWatch } from './commit-watch.ts'
import { librdkafkaMembers, type Member, type StartMember, startScorer } from './members.ts'
import { TROUBLES, type Trouble } from './troubles.ts'

interface Options {
  readonly python?: string
  readonly only?: string
}

const FEED_INTERVAL_MS = 100
/** Enough that each partition has one. */
const ACCOUNTS = 24
/** Longer than a session and a rebalance. */
const PATIENCE_MS = 120_000
/** Later pauses of the same trouble are seen too: the second rebalance of a restart, for example. */
const AFTERWARDS_MS = 5_000

function buildProgram(): Command {
  return new Command('upswell-bench-rebalance')
    .description('measures how long partitions stand still when members of a group, or its broker, fail')
    .option('--python <path>', 'compare with librdkafka: a Python that has confluent-kafka')
    .option('--only <text>', 'only troubles whose title contains this text')
    .action(bench)
}

/** Starts its own Kafka and Redis: it kills the broker. */
async function bench({ python, only = '' }: Options): Promise<void> {
  const kinds: (readonly [title: string, start: StartMember])[] = [['Upswell', startScorer]]
  if (python !== undefined)
    kinds.push(
      ['librdkafka', librdkafkaMembers(python, false)],
      ['librdkafka, group.instance.id', librdkafkaMembers(python, true)],
    )
  const rows = [['time without a commit, s, by partition', ...kinds.map(([title]) => title)]]
  for (const trouble of TROUBLES.filter(({ title }) => title.includes(only))) {
    const row = [trouble.title]
    for (const [title, start] of kinds) {
      const pauses = await measure(trouble, start)
      row.push(pauses.map(ms => number(ms / 1_000, 1)).join(' '))
      process.stderr.write(`${trouble.title}, ${title}: ${row.at(-1)}\n`)
    }
    rows.push(row)
  }
  process.stdout.write(`${table(rows).join('\n')}\n`)
}

/** One run on servers of its own. Partitions 0 and 2 are of the first member, 1 and 3 of the second. */
async function measure(trouble: Trouble, startMember: StartMember): Promise<number[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'upswell-bench-kafka-'))
  let broker = await startBenchBroker({ dataDir })
  const redis = await startBenchRedis()
  const brokers = [`127.0.0.1:${broker.port}`]
  const members: Member[] = []
  try {
    const installation = newInstallation(brokers)
    await createSignalsTopic(installation)
    const run = await prepareRun(installation, `redis://127.0.0.1:${redis.port}`, {
      UPSWELL_TICK_INTERVAL_MS: '1000',
      // A line at this level says that it has started.
      UPSWELL_LOG_LEVEL: 'info',
    })
    const watched = { brokers, group: run.scoreGroup, topic: installation.topics.signals }
    const start = async (name: string): Promise<Member> => {
      const member = await startMember({ ...watched, settings: run.settings }, name)
      members.push(member)
      return member
    }
    const feed = startFeed(watched)
    const watch = new CommitWatch(watched)
    try {
      const [first] = [await start('member-1'), await start('member-2')]
      await watch.untilMoved(PARTITIONS, performance.now() + 3_000, PATIENCE_MS)
      const sinceMs = await trouble.cause({
        first,
        start,
        killBroker: () => broker.kill('SIGKILL'),
        startBroker: async () => {
          broker = await restart(broker, dataDir)
        },
      })
      await watch.untilMoved(PARTITIONS, performance.now(), PATIENCE_MS)
      await sleep(AFTERWARDS_MS)
      await watch.untilMoved(PARTITIONS, performance.now(), PATIENCE_MS)
      return watch.longestPauses(PARTITIONS, sinceMs)
    } finally {
      await Promise.all([watch.stop(), feed.stop()])
    }
  } finally {
    await Promise.all(members.map(member => member.signal('SIGKILL')))
    await Promise.all([broker.stop(), redis.stop()])
    await rm(dataDir, { recursive: true, force: true })
  }
}

function restart(broker: ServerProcess, dataDir: string): Promise<ServerProcess> {
  return startBenchBroker({ dataDir, port: broker.port })
}

/** Sends a signal to every partition, ten times a second, also again after the broker was away. */
function startFeed({ brokers, topic }: { readonly brokers: readonly string[]; readonly topic: string }) {
  const log = openKafkaLog({ ...connectionTo(brokers), transactionalIdPrefix: 'upswell-bench-feed' })
  const stopping = new AbortController()
  const running = (async () => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const records = Array.from({ length: ACCOUNTS }, (_, account) => signal(topic, `account-${account}`, i))
      await log.append(records).catch(() => {})
      await sleep(FEED_INTERVAL_MS)
    }
    await log.close()
  })()
  return {
    stop: () => {
      stopping.abort()
      return running
    },
  }
}

function signal(topic: string, accountId: string, i: number) {
  const value = { id: `s-${i}`, kind: 'usage', name: 'seat.invited', accountId, quantity: 1 }
  const occurredAt = new Date().toISOString()
  return { topic, key: accountId, value: JSON.stringify({ ...value, occurredAt }) }
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.stderr.write(`upswell-bench-rebalance: ${describeError(error)}\n`)
  process.exitCode = 1
}
