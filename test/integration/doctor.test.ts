import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  Partitioners,
  ResourcePatternTypes,
} from 'kafkajs'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { CHECKS, type Finding } from '../../src/commands/doctor/finding.ts'
import { buildCli, type Environment, runCli } from '../commands/cli.ts'
import { until } from '../support/log-handlers.ts'
import { freePorts } from '../support/servers/free-ports.ts'
import { startBroker } from '../support/servers/java-broker.ts'
import { missingForMaven } from '../support/servers/maven-artifacts.ts'
import { startRedis } from '../support/servers/redis-server.ts'
import { startRole, stopInTime, untilReady } from '../support/servers/role-process.ts'
import type { ServerProcess } from '../support/servers/server-process.ts'

const SETUP_TIMEOUT_MS = 180_000
/** A safety bound: it takes 15 s at most, but a busy machine starts it slowly. */
const LONGEST_MS = 30_000
const AUTHORIZER = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
}

describe.skipIf((await missingForMaven()) !== undefined)('upswell doctor', { timeout: 120_000 }, () => {
  let main: string
  let broker: ServerProcess
  let server: ServerProcess
  let admin: Admin
  let redis: Redis
  let prefix: string
  let runs = 0

  beforeAll(async () => {
    main = await buildCli()
    ;[broker, server] = await Promise.all([startBroker({ settings: AUTHORIZER }), startRedis()])
    admin = kafka().admin()
    await admin.connect()
    redis = new Redis(server.port)
    redis.on('error', () => {})
  }, SETUP_TIMEOUT_MS)
  afterAll(async () => {
    redis?.disconnect()
    await admin?.disconnect()
    await Promise.all([broker?.stop(), server?.stop()])
  })
  beforeEach(async () => {
    prefix = `doctor-${++runs}.`
    await redis.flushall()
  })

  const kafka = () => new Kafka({ brokers: [`127.0.0.1:${broker.port}`], logLevel: logLevel.NOTHING })

  /** A new installation for each test. */
  function installation(more: Environment = {}): Environment {
    return {
      KAFKA_BROKERS: `127.0.0.1:${broker.port}`,
      REDIS_URL: `redis://127.0.0.1:${server.port}`,
      UPSWELL_NAMESPACE: prefix.slice(0, -1),
      UPSWELL_TOPIC_PREFIX: prefix,
      UPSWELL_GROUP: prefix.slice(0, -1),
      UPSWELL_PARTITIONS: '2',
      UPSWELL_PORT: '0',
      ...more,
    }
  }

  const createTopics = () => runCli(main, ['topics', 'create'], { env: installation() })

  async function examine(more: Environment = {}, ...options: string[]) {
    const startedAt = performance.now()
    const { code, stdout, stderr } = await runCli(main, ['doctor', '--json', ...options], {
      env: installation(more),
    })
    expect(stderr).toBe('')
    expect(performance.now() - startedAt).toBeLessThan(LONGEST_MS)
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] }
    const of = (check: keyof typeof CHECKS) => findings.find(each => each.check === check)
    const problems = findings.filter(({ state }) => state === 'problem').map(({ check }) => check)
    return { code, of, problems, findings }
  }

  test('finds no problem in a new installation, and writes nothing', async () => {
    await createTopics()
    const before = await admin.listTopics()
    const { code, of, problems, findings } = await examine()
    expect([code, problems]).toEqual([0, []])
    const embeddedOnly = ['folder', 'folder-space', 'folder-process']
    expect(findings.map(({ check }) => check)).toEqual(
      Object.keys(CHECKS).filter(check => !embeddedOnly.includes(check)),
    )
    expect(of('brokers')?.found).toBe(`1 of 1 addresses answer: 127.0.0.1:${broker.port} (broker 1)`)
    expect(of('topic-permissions')?.state).toBe('ok')
    expect(of('transaction-permissions')?.state).toBe('ok')
    expect(of('redis-permissions')?.state).toBe('ok')
    expect(of('kafka-clock')?.state).toBe('not checked')
    expect(of('active-models')?.state).toBe('warning')
    expect((await examine({}, '--strict')).code).toBe(1)
    expect(await redis.dbsize()).toBe(0)
    expect((await admin.listTopics()).sort()).toEqual(before.sort())
    for (const topic of before.filter(name => name.startsWith(prefix)))
      expect((await admin.fetchTopicOffsets(topic)).map(({ offset }) => offset)).toEqual(['0', '0'])
  })

  test('prints one line for each check, without colours', async () => {
    const { stdout } = await runCli(main, ['doctor'], { env: installation() })
    expect(stdout).toMatch(/^ {2}problem {6}topics-there {13}missing: .*; accepted: .*; do: .*$/m)
    expect(stdout).toMatch(/\n\n\d+ ok, \d+ warning, 1 problem, \d+ not checked\n$/)
    expect(stdout).not.toContain('\u001b')
  })

  test('finds wrong topics', async () => {
    const names = [`${prefix}activity-checkpoints`, `${prefix}alerts`]
    await createTopics()
    await admin.deleteTopics({ topics: names })
    await until(async () => !(await admin.listTopics()).includes(names[0]!))
    // kafkajs's own wait ends early if the broker does not know the topic yet.
    await admin.createTopics({ topics: [{ topic: names[0]!, numPartitions: 3 }], waitForLeaders: false })
    await until(async () => (await admin.listTopics()).includes(names[0]!))
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: `${prefix}signals`,
          configEntries: [
            { name: 'retention.ms', value: '604800000' },
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
          ],
        },
      ],
    })
    const { code, of, problems } = await examine()
    expect(code).toBe(1)
    expect(problems).toEqual([
      'topics-there',
      'topic-partitions',
      'topic-retention',
      'topic-cleanup',
      'topic-times',
    ])
    expect(of('topics-there')?.found).toBe(`missing: ${prefix}alerts`)
    expect(of('topic-retention')?.found).toBe(`retention.ms of ${prefix}signals is 604800000`)
  })

  test('finds what an authorizer denies', async () => {
    await createTopics()
    const own = prefix.slice(0, -1)
    const deny = (resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes) => ({
      resourceType,
      resourceName,
      operation,
      resourcePatternType:
        resourceType === AclResourceTypes.TRANSACTIONAL_ID
          ? ResourcePatternTypes.PREFIXED
          : ResourcePatternTypes.LITERAL,
      principal: 'User:ANONYMOUS',
      host: '*',
      permissionType: AclPermissionTypes.DENY,
    })
    await admin.createAcls({
      acl: [
        deny(AclResourceTypes.TOPIC, `${prefix}pql-events`, AclOperationTypes.WRITE),
        deny(AclResourceTypes.GROUP, `${own}-score`, AclOperationTypes.READ),
        deny(AclResourceTypes.TRANSACTIONAL_ID, `upswell-${own}`, AclOperationTypes.WRITE),
      ],
    })
    const { of, problems } = await examine()
    expect(problems).toEqual(
      expect.arrayContaining(['topic-permissions', 'group-permissions', 'transaction-permissions']),
    )
    expect(of('topic-permissions')?.found).toBe(`not allowed: WRITE on ${prefix}pql-events`)
    expect(of('group-permissions')?.found).toBe(`READ is not allowed on the groups ${own}-score`)
  })

  test('finds a Redis that evicts, and one command that its user may not run', async () => {
    await createTopics()
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    onTestFinished(async () => void (await redis.config('SET', 'maxmemory-policy', 'noeviction')))
    const user = (rules: readonly string[]) => redis.call('ACL', 'SETUSER', 'limited', 'reset', ...rules)
    await user(documentedRules(prefix.slice(0, -1)))
    const url = { REDIS_URL: `redis://limited:secret@127.0.0.1:${server.port}` }
    const complete = await examine(url)
    expect(complete.problems).toEqual(['redis-eviction'])
    expect(complete.of('redis-permissions')?.state).toBe('ok')
    await user(documentedRules(prefix.slice(0, -1)).filter(rule => rule !== '+unlink'))
    const { of } = await examine(url)
    expect(of('redis-permissions')).toMatchObject({
      state: 'problem',
      found: expect.stringMatching(/^it refuses UNLINK \(NOPERM /),
    })
    expect(await redis.dbsize()).toBe(0)
  })

  test('checks Kafka while Redis is frozen or away, and Redis while Kafka is away', async () => {
    await createTopics()
    await server.kill('SIGSTOP')
    onTestFinished(() => server.kill('SIGCONT'))
    const frozen = await examine()
    expect([frozen.code, frozen.problems]).toEqual([1, ['redis']])
    expect(frozen.of('topics-there')?.state).toBe('ok')
    expect(frozen.of('store-position')?.state).toBe('not checked')
    await server.kill('SIGCONT')
    const [port] = await freePorts(1)
    const away = await examine({ REDIS_URL: `redis://127.0.0.1:${port}` })
    expect(away.of('redis')?.found).toMatch(/does not answer: .*ECONNREFUSED/)
    const withoutKafka = await examine({ KAFKA_BROKERS: `127.0.0.1:${port}` })
    expect(withoutKafka.problems).toEqual(['brokers'])
    expect(withoutKafka.of('redis-eviction')?.state).toBe('ok')
    expect(withoutKafka.of('topic-retention')?.state).toBe('not checked')
  })

  test('ends in time while the broker is frozen', async () => {
    await createTopics()
    await broker.kill('SIGSTOP')
    onTestFinished(() => broker.kill('SIGCONT'))
    const { code, problems } = await examine()
    expect([code, problems]).toEqual([1, ['brokers']])
  })

  test('compares the clock of the broker with that of ingest, and finds dead letters', async () => {
    await createTopics()
    const ids = { UPSWELL_INSTANCE_ID: 'scorer-1' }
    const { upswell, url } = await startRole(main, 'start', installation(ids))
    upswell.endWithTest()
    await untilReady(url)
    const producer = kafka().producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const signal = {
      id: 'u-1',
      kind: 'usage',
      name: 'feature.search',
      accountId: 'acme',
      occurredAt: new Date().toISOString(),
    }
    await producer.send({
      topic: `${prefix}product-usage`,
      messages: [
        { key: 'acme', value: JSON.stringify(signal) },
        { key: 'acme', value: 'no JSON' },
      ],
    })
    await producer.disconnect()
    await until(async () => (await examine()).of('kafka-clock')?.state === 'ok')
    const { of, problems } = await examine(ids)
    expect(problems).toEqual([])
    const member = `${prefix.slice(0, -1)}-score has scorer-1 (127.0.0.1)`
    expect(of('instance-ids')).toMatchObject({ state: 'ok', found: expect.stringContaining(member) })
    expect(of('score-group')?.state).toBe('ok')
    expect(of('active-models')?.state).toBe('ok')
    expect(of('dead-letters')).toMatchObject({
      state: 'warning',
      found: expect.stringMatching(/is not-json; among the latest: 1 not-json$/),
    })
    expect(of('model-names')?.found).not.toContain('usage:feature.*')
    await stopInTime(upswell)
    expect((await examine()).of('score-group')?.state).toBe('warning')
  })
})

/** The rules for a user in docs/doctor.md. */
function documentedRules(namespace: string): string[] {
  const page = readFileSync(join(PACKAGE_ROOT, 'docs/doctor.md'), 'utf8')
  const rules = /ACL SETUSER upswell ([^`]*)/.exec(page)![1]!
  return rules.replaceAll('NAMESPACE', namespace).replace('PASSWORD', 'secret').trim().split(/\s+/)
}
