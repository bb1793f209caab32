import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import type * as JavaBroker from '../../test/support/servers/java-broker.ts'
import type * as MavenArtifacts from '../../test/support/servers/maven-artifacts.ts'
import type * as RedisServer from '../../test/support/servers/redis-server.ts'
import type { ServerProcess } from '../../test/support/servers/server-process.ts'

export type { ServerProcess }

/** As the broker of the Kafka Streams job has it: the broker is not what is measured, and must not be what is waited for. */
const BROKER_JVM = ['-Xms1g', '-Xmx1g']
const BROKER_SETTINGS = {
  // Several scorers that join within this time join the same generation: none of them has to let go again of what it took.
  'group.initial.rebalance.delay.ms': '500',
}

/**
 * A new Kafka of one node on 127.0.0.1, from the artifacts that the tests use; it ends with this process.
 * @throws Error with what is missing for that
 */
export async function startBenchBroker(): Promise<ServerProcess> {
  await requireMaven()
  const { startBroker } = await importSupport<typeof JavaBroker>('java-broker')
  return startBroker({ jvm: BROKER_JVM, settings: BROKER_SETTINGS })
}

/** A new Redis on 127.0.0.1 that keeps nothing on disk; it ends with this process. @throws Error with what is missing for that */
export async function startBenchRedis(): Promise<ServerProcess> {
  await requireMaven()
  const { startRedis } = await importSupport<typeof RedisServer>('redis-server')
  return startRedis()
}

async function requireMaven(): Promise<void> {
  const { missingForMaven } = await importSupport<typeof MavenArtifacts>('maven-artifacts')
  const missing = await missingForMaven()
  if (missing !== undefined)
    throw new Error(`no Kafka and no Redis can be started: ${missing}. Name them: --brokers, --redis`)
}

/** They find their POM, and what Maven fetched, by their own place in the sources: so they are run from there. */
async function importSupport<T>(name: string): Promise<T> {
  const { runnerImport } = await import('vite')
  const { module } = await runnerImport<T>(join(PACKAGE_ROOT, `test/support/servers/${name}.ts`), {
    configFile: false,
    logLevel: 'error',
    root: PACKAGE_ROOT,
  })
  return module
}
