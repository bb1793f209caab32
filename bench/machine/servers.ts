import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import type * as JavaBroker from '../../test/support/servers/java-broker.ts'
import type * as MavenArtifacts from '../../test/support/servers/maven-artifacts.ts'
import type * as RedisServer from '../../test/support/servers/redis-server.ts'
import type { ServerProcess } from '../../test/support/servers/server-process.ts'

export type { ServerProcess }

/**
 * The same as for the Kafka Streams job's broker. The broker is not measured and must not be the bottleneck.
 */
const BROKER_JVM = ['-Xms1g', '-Xmx1g']
const BROKER_SETTINGS = {
  // Scorers that join within this time join the same generation, so that none has to give up a partition it
  // just took.
  'group.initial.rebalance.delay.ms': '500',
}

/**
 * Starts a new one-node Kafka on 127.0.0.1, from the artifacts that the tests use. It ends with this process.
 * With a data folder, a later one can continue it at the same port.
 * @throws Error that says what is missing
 */
export async function startBenchBroker(
  kept: { readonly dataDir?: string; readonly port?: number } = {},
): Promise<ServerProcess> {
  await requireMaven()
  const { startBroker } = await importSupport<typeof JavaBroker>('java-broker')
  return startBroker({ ...kept, jvm: BROKER_JVM, settings: BROKER_SETTINGS })
}

/**
 * Starts a new Redis on 127.0.0.1 that keeps nothing on disk. It ends with this process.
 * @throws Error that says what is missing
 */
export async function startBenchRedis(): Promise<ServerProcess> {
  await requireMaven()
  const { startRedis } = await importSupport<typeof RedisServer>('redis-server')
  return startRedis()
}

async function requireMaven(): Promise<void> {
  const { missingForMaven } = await importSupport<typeof MavenArtifacts>('maven-artifacts')
  const missing = await missingForMaven()
  if (missing !== undefined)
    throw new Error(`cannot start Kafka and Redis: ${missing}. Name existing ones with --brokers and --redis`)
}

/** Runs the module from its source file: it finds its POM and Maven's downloads relative to that file. */
async function importSupport<T>(name: string): Promise<T> {
  const { runnerImport } = await import('vite')
  const { module } = await runnerImport<T>(join(PACKAGE_ROOT, `test/support/servers/${name}.ts`), {
    configFile: false,
    logLevel: 'error',
    root: PACKAGE_ROOT,
  })
  return module
}
