import { randomUUID } from 'node:crypto'
import { type ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildCli, type Ended, runCli } from '../commands/cli.ts'
import { describeIntegration } from '../support/servers/integration.ts'

const TOPIC: ConfigResourceTypes.TOPIC = 2
const SETUP_TIMEOUT_MS = 180_000

describeIntegration('upswell topics create', ({ kafkaBrokers, redisUrl }) => {
  const prefix = `topics-${randomUUID().slice(0, 8)}.`
  const admin = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.ERROR }).admin()
  let main: string

  beforeAll(async () => {
    main = await buildCli()
    await admin.connect()
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    const topics = (await admin.listTopics()).filter(topic => topic.startsWith(prefix))
    await admin.deleteTopics({ topics })
    await admin.disconnect()
  })

  const create = (partitions: number, ...args: string[]): Promise<Ended> =>
    runCli(main, ['topics', 'create', ...args], {
      env: {
        KAFKA_BROKERS: kafkaBrokers,
        REDIS_URL: redisUrl,
        UPSWELL_TOPIC_PREFIX: prefix,
        UPSWELL_PARTITIONS: String(partitions),
      },
    })

  test('says how many brokers there are when there are too few for the replicas', async () => {
    const { code, stderr } = await create(2, '--replication-factor', '3')
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /INVALID_REPLICATION_FACTOR, because 1 broker is running, and --replication-factor asks for 3 replicas.*At most 1 is accepted: run "upswell topics create --replication-factor 1"/,
      ),
    ])
    expect((await admin.listTopics()).filter(topic => topic.startsWith(prefix))).toEqual([])
  }, 60_000)

  test('ends with 0 when the topics are as wanted, however often it runs', async () => {
    for (const words of ['created with 2 partitions', 'already there']) {
      const { code, stdout, stderr } = await create(2)
      expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(`^${words}: [^\n]*\n$`), ''])
    }
  }, 60_000)

  test('ends with 1 and says what to do when topics have another number of partitions', async () => {
    const { code, stdout } = await create(4)
    expect(code).toBe(1)
    expect(stdout).toContain(`error: ${prefix}signals: partitions is 2; 4 is accepted.`)
    expect(stdout).toContain('set UPSWELL_PARTITIONS=2 to keep it')
    expect(stdout).not.toContain(`error: ${prefix}activity-checkpoints`)
    expect(stdout).toContain(`warning: ${prefix}product-usage: partitions is 2; 4 is accepted.`)
    expect(stdout).toContain('1 error: topics that exist are never changed.')
  }, 60_000)

  test('ends with 1 when a setting of a topic would lose records', async () => {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: TOPIC,
          name: `${prefix}signals`,
          configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
    })
    const { code, stdout } = await create(2)
    expect(code).toBe(1)
    expect(stdout).toContain(`error: ${prefix}signals: cleanup.policy is compact; delete is accepted.`)
    // alterConfigs of kafkajs sets what is not named back to the broker's default.
    expect(stdout).toContain(`error: ${prefix}signals: retention.ms is 604800000; -1 is accepted.`)
  }, 60_000)
})
