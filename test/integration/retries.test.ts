import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { beforeAll, test } from 'vitest'
import { topicNames } from '../../src/log/topic-names.ts'
import { GROWTH } from '../api/world.ts'
import { buildCli, runCli, temporaryFolder } from '../commands/cli.ts'
import { expectFileOnce, expectRequestsOnce } from '../support/expect-retries.ts'
import { describeIntegration } from '../support/servers/integration.ts'
import { startRole, untilReady } from '../support/servers/role-process.ts'

const SETUP_TIMEOUT_MS = 180_000

describeIntegration('on Kafka and Redis count once', ({ kafkaBrokers, redisUrl }) => {
  let main: string
  beforeAll(async () => {
    main = await buildCli()
  }, SETUP_TIMEOUT_MS)

  test('the signals of a file, and of a request, that are sent again', { timeout: 240_000 }, async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'growth.yaml'), GROWTH)
    const name = `retries-${randomUUID().slice(0, 8)}`
    const env = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: redisUrl,
      UPSWELL_MODELS: join(folder, 'growth.yaml'),
      UPSWELL_NAMESPACE: name,
      UPSWELL_TOPIC_PREFIX: `${name}.`,
      UPSWELL_GROUP: name,
      UPSWELL_PARTITIONS: '3',
      UPSWELL_PORT: '0',
    }
    await runCli(main, ['topics', 'create'], { env })
    const roles = [await startRole(main, 'score', env), await startRole(main, 'api', env)]
    try {
      await Promise.all(roles.map(({ url }) => untilReady(url)))
      const retried = { main, env, url: roles[1]!.url }
      await expectFileOnce(retried)
      await expectRequestsOnce(retried)
    } finally {
      for (const { upswell } of roles) await upswell.kill('SIGTERM')
      const admin = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.ERROR }).admin()
      await admin.connect()
      await admin.deleteTopics({ topics: Object.values(topicNames(`${name}.`)) })
      await admin.disconnect()
    }
  })
})
