import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { createTopics } from '../../src/log/kafka/kafka-topics.ts'
import { partitionOf } from '../../src/log/partition-of.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, type CliProcess, type Environment, getJson, temporaryFolder } from '../commands/cli.ts'
import { all, CopyingHandler, silent, textOf, until } from '../support/log-handlers.ts'
import { freePorts } from '../support/servers/free-ports.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { startBroker, startThreeBrokers } from '../support/servers/java-broker.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { logged, startRole, stopInTime, untilReady } from '../support/servers/role-process.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 180_000 })

const PARTITIONS = 4
/** Longer than any test waits: a test in which somebody waits for the end of a session fails. */
const LONG_SESSION_MS = 120_000
const SHORT_SESSION_MS = 6_000

/** One account for each partition. */
const ACCOUNTS = Array.from({ length: PARTITIONS }, (_, partition) => {
  for (let i = 0; ; i++) if (partitionOf(`account-${i}`, PARTITIONS) === partition) return `account-${i}`
})

let main: string
let folder: string
beforeAll(async () => {
  main = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'upswell-group-'))
  await writeFile(join(folder, 'growth.yaml'), GROWTH)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describeIntegration('scorers that share a group', ({ kafkaBrokers, redisUrl }) => {
  const connection = { brokers: kafkaBrokers.split(','), clientId: 'test', logger: silent }

  async function install(sessionTimeoutMs: number) {
    const name = `group-${randomUUID().slice(0, 8)}`
    const topics = topicNames(`${name}.`)
    await createTopics({
      ...connection,
      topics: Object.values(topics).map(topic => ({ name: topic, partitions: PARTITIONS })),
    })
    const log = openKafkaLog({ ...connection, transactionalIdPrefix: `${name}-test` })
    onTestFinished(() => log.close())
    const env = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: redisUrl,
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_PARTITIONS: String(PARTITIONS),
      UPSWELL_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    }
    const start = async (more: Environment) => {
      const started = await startRole(main, 'score', { ...env, ...more })
      started.upswell.endWithTest()
      return started
    }
    /** Sends a signal of each account, and waits until all of them are scored. */
    const scoreAll = async (url: string) => {
      const records = ACCOUNTS.map(id => ({ topic: topics.signals, key: id, value: usage(id) }))
      const positions = await log.append(records)
      const pages = positions.map(({ partition, offset }) => {
        const account = ACCOUNTS[partition]
        return `${url}/v1/accounts/${account}?after=${partition}:${offset}`
      })
      await until(async () => {
        const answers = await Promise.all(pages.map(page => getJson(page)))
        return answers.every(({ status }) => status === 200)
      })
    }
    /** Two scorers with their default instance ids, at work. */
    const startTwo = async (more: Environment = {}) => {
      const ports = await freePorts(2)
      const [first, second] = await Promise.all(
        ports.map(port => start({ UPSWELL_PORT: String(port), ...more })),
      )
      await until(async () => {
        const counts = await Promise.all([first!, second!].map(({ url }) => assigned(url)))
        return counts.every(count => count === PARTITIONS / 2)
      })
      await scoreAll(first!.url)
      return { first: first!, second: second!, ports }
    }
    return { start, startTwo, scoreAll }
  }

  test.each(['1', '2'])(
    'go on, when one is killed and started again, without its session ending, and the other never stops (threads: %s)',
    async threads => {
      const { start, startTwo, scoreAll } = await install(LONG_SESSION_MS)
      const more = { UPSWELL_SCORE_THREADS: threads }
      const { first, second, ports } = await startTwo(more)
      const joins = joinsOf(second.upswell)

      await first.upswell.kill('SIGKILL')
      const again = await start({ UPSWELL_PORT: String(ports[0]), ...more })
      await untilReady(again.url)
      await scoreAll(second.url)
      expect(await assigned(again.url)).toBe(PARTITIONS / 2)
      expect(joinsOf(second.upswell)).toEqual(joins)

      // It leaves: the other has all partitions without a wait for its session.
      await stopInTime(again.upswell)
      await until(async () => (await assigned(second.url)) === PARTITIONS)
      await scoreAll(second.url)
    },
  )

  test('show that the group waits for a member that does not answer, until it does', async () => {
    const { start, startTwo, scoreAll } = await install(LONG_SESSION_MS)
    const { first, second } = await startTwo()
    expect(await waitingSeconds(second.url)).toBe(0)

    process.kill(first.upswell.pid, 'SIGSTOP')
    const [port] = await freePorts(1)
    const third = await start({ UPSWELL_PORT: String(port) })
    await until(async () => (await waitingSeconds(second.url)) > 0)
    expect(await getJson(`${second.url}/readyz`)).toMatchObject({
      status: 503,
      body: { detail: expect.stringMatching(/^score: the group \S+-score distributes its partitions/) },
    })
    expect(await waitingSeconds(third.url)).toBeGreaterThan(0)

    process.kill(first.upswell.pid, 'SIGCONT')
    for (const { url } of [first, second, third]) await untilReady(url)
    await scoreAll(second.url)
    expect(await waitingSeconds(second.url)).toBe(0)
  })

  test('share the partitions again, when one was frozen until its session ended, and continues', async () => {
    const { startTwo, scoreAll } = await install(SHORT_SESSION_MS)
    const { first, second } = await startTwo()

    process.kill(first.upswell.pid, 'SIGSTOP')
    await until(async () => (await assigned(second.url)) === PARTITIONS)
    await scoreAll(second.url)
    process.kill(first.upswell.pid, 'SIGCONT')
    await until(async () => (await assigned(first.url)) === PARTITIONS / 2)
    await scoreAll(second.url)
    for (const { upswell } of [first, second]) expect(fences(upswell)).toEqual([])
  })

  test('do not fight for an instance id: the older one says so, and waits until the newer one has left', async () => {
    const { start, scoreAll } = await install(LONG_SESSION_MS)
    const same = { UPSWELL_INSTANCE_ID: 'twin', UPSWELL_PORT: '0' }
    const older = await start(same)
    await untilReady(older.url)
    await scoreAll(older.url)

    const newer = await start(same)
    const refused =
      /^score: another process joined the group \S+-score from 127\.0\.0\.1 with this one's instance id, twin; .*UPSWELL_INSTANCE_ID$/
    await until(async () => {
      const { status, body } = await getJson(`${older.url}/readyz`)
      return status === 503 && refused.test((body as { detail: string }).detail)
    })
    await untilReady(newer.url)
    for (let i = 0; i < 3; i++) await scoreAll(newer.url)
    expect([joinsOf(older.upswell).length, joinsOf(newer.upswell).length]).toEqual([1, 1])
    expect([fences(older.upswell).length, fences(newer.upswell).length]).toEqual([1, 0])
    expect(await waitingSeconds(older.url)).toBeGreaterThan(0)

    await stopInTime(newer.upswell)
    await untilReady(older.url)
    await scoreAll(older.url)
  })
})

describe.skipIf((await missingForMaven()) !== undefined)('members of a group whose brokers were away', () => {
  /** Two members with instance ids, each with half of the partitions. */
  async function startMembers(brokers: readonly string[], replicationFactor: number) {
    const connection = { brokers, clientId: 'test', logger: silent }
    const topics = ['in', 'out'].map(name => ({ name, partitions: PARTITIONS, replicationFactor }))
    await createTopics({ ...connection, topics })
    const logs = ['one', 'two'].map(instanceId => {
      const options = { transactionalIdPrefix: 'away', sessionTimeoutMs: LONG_SESSION_MS, instanceId }
      const log = openKafkaLog({ ...connection, ...options })
      onTestFinished(() => log.close())
      return log
    })
    const log = logs[0]!
    const members = await Promise.all(
      logs.map(each =>
        each.consume({ group: 'g', topics: ['in'], handler: new CopyingHandler('out'), batchSize: 10 }),
      ),
    )
    const areSharing = () => members.every(member => member.assignments().length === PARTITIONS / 2)
    await until(areSharing)
    let rounds = 0
    /** Appends a record to each partition, and waits until all are copied. */
    const copyAll = async () => {
      rounds++
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
      const records = partitions.map(partition => {
        const value = `${partition}: ${rounds}`
        return { topic: 'in', partition, key: 'k', value }
      })
      const isAppended = () =>
        log.append(records).then(
          () => true,
          () => false,
        )
      await until(isAppended)
      const copied = async () => new Set((await all(log, 'out')).map(textOf))
      await until(async () => (await copied()).size === rounds * PARTITIONS)
      await until(areSharing)
    }
    await copyAll()
    return { members, copyAll }
  }

  test('go on when the only broker is back, without their sessions ending', async () => {
    const dataDir = join(await temporaryFolder(), 'kafka')
    const broker = await startBroker({ dataDir })
    onTestFinished(() => broker.stop())
    const { members, copyAll } = await startMembers([`127.0.0.1:${broker.port}`], 1)

    await broker.kill('SIGKILL')
    // Both have given up their consumers.
    await until(() => members.every(member => /cannot consume/.test(member.problem() ?? '')))
    expect(members.every(member => member.waitingMs() > 0)).toBe(true)
    const back = await startBroker({ dataDir, port: broker.port })
    onTestFinished(() => back.stop())
    await copyAll()
    expect(members.map(member => member.waitingMs())).toEqual([0, 0])
  })

  test('go on when two of three brokers are back, without their sessions ending', async () => {
    const brokers = await startThreeBrokers(await temporaryFolder())
    onTestFinished(async () => {
      await Promise.all(brokers.map(broker => broker.stop()))
    })
    const { copyAll } = await startMembers(
      brokers.map(({ port }) => `127.0.0.1:${port}`),
      3,
    )
    const lost = brokers.slice(1)
    await Promise.all(lost.map(broker => broker.kill('SIGKILL')))
    const back = await Promise.all(lost.map(broker => broker.restart()))
    onTestFinished(async () => {
      await Promise.all(back.map(broker => broker.stop()))
    })
    await copyAll()
  })
})

function usage(accountId: string): string {
  return JSON.stringify({
    id: randomUUID(),
    kind: 'usage',
    name: 'seat.invited',
    accountId,
    quantity: 1,
    occurredAt: new Date().toISOString(),
  })
}

function joinsOf(upswell: CliProcess): string[] {
  return logged(upswell).flatMap(({ msg }) => (/^(thread \d+: )?joined the group/.test(msg) ? [msg] : []))
}

function fences(upswell: CliProcess): string[] {
  return logged(upswell).flatMap(({ level, msg }) => (level === 'error' ? [msg] : []))
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find(each => each.startsWith(name))
  return Number(line?.slice(line.lastIndexOf(' ') + 1))
}

function assigned(url: string): Promise<number> {
  return metric(url, 'upswell_assigned_partitions ')
}

function waitingSeconds(url: string): Promise<number> {
  return metric(url, 'upswell_group_waiting_seconds{role="score"}')
}
