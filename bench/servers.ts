import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '../src/config.ts'
import { kafkaClients } from '../src/consumers/kafka/client.ts'
import type * as BrokerSettings from '../test/support/broker-settings.ts'
import type * as FreePorts from '../test/support/free-ports.ts'
import type * as MavenArtifacts from '../test/support/maven-artifacts.ts'
import type * as RedisServer from '../test/support/redis-server.ts'
import type * as Server from '../test/support/server-process.ts'
import { connectionTo } from './kafka-bench-topics.ts'
import { SILENT_LOGGER } from './logger.ts'

export type ServerProcess = Server.ServerProcess

/** As the broker of the Kafka Streams job has it: the broker is not what is measured, and must not be what is waited for. */
const BROKER_JVM = ['-Xms1g', '-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
const READY_TIMEOUT_MS = 60_000

/**
 * A new Kafka of one node on 127.0.0.1, from the artifacts that the tests use; it ends with this process.
 * @throws Error with what is missing for that
 */
export async function startBenchBroker(): Promise<ServerProcess> {
  const { kafkaClasspath } = await fetchArtifacts()
  const { freePorts } = await importSupport<typeof FreePorts>('free-ports')
  const { makeWorkDir, startServerProcess } = await importSupport<typeof Server>('server-process')
  const { brokerSettings } = await importSupport<typeof BrokerSettings>('broker-settings')
  const [port, controllerPort] = (await freePorts(2)) as [number, number]
  const workDir = await makeWorkDir('bench-kafka')
  const settingsFile = join(workDir, 'server.properties')
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(workDir, 'data'),
    ...brokerSettings,
    // Several scorers that join within this time join the same generation: none of them has to let go again of what it took.
    'group.initial.rebalance.delay.ms': '500',
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(settingsFile, lines.join(''))
  const java = [...BROKER_JVM, '-cp', kafkaClasspath]
  // 16 bytes in base64; every broker here is a cluster of its own, so they may share the id.
  const clusterId = Buffer.from('upswell-bench-01').toString('base64url')
  await promisify(execFile)('java', [
    ...java,
    ...['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settingsFile],
  ])
  return startServerProcess({
    name: 'Kafka',
    command: 'java',
    args: [...java, 'kafka.Kafka', settingsFile],
    workDir,
    port,
    isReady: () => isBrokerReady(port),
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopSignal: 'SIGKILL',
  })
}

/** A new Redis on 127.0.0.1 that keeps nothing on disk; it ends with this process. @throws Error with what is missing for that */
export async function startBenchRedis(): Promise<ServerProcess> {
  await fetchArtifacts()
  const { startRedis } = await importSupport<typeof RedisServer>('redis-server')
  return startRedis()
}

async function isBrokerReady(port: number): Promise<boolean> {
  const clients = kafkaClients({ ...connectionTo([`127.0.0.1:${port}`]), log: SILENT_LOGGER })
  const admin = clients.create().admin({ retry: { retries: 0 } })
  try {
    await admin.connect()
    // It answers before it may lead partitions; until then the cluster counts no broker.
    if ((await admin.describeCluster()).brokers.length !== 1) return false
    // The first group makes the topic of offsets, which takes its time.
    await admin.fetchOffsets({ groupId: 'is-the-broker-ready' })
    return true
  } catch {
    return false
  } finally {
    await admin.disconnect()
    clients.close()
  }
}

async function fetchArtifacts(): Promise<MavenArtifacts.MavenArtifacts> {
  const { fetchMavenArtifacts, missingForMaven } =
    await importSupport<typeof MavenArtifacts>('maven-artifacts')
  const missing = await missingForMaven()
  if (missing !== undefined)
    throw new Error(`no Kafka and no Redis can be started: ${missing}. Name them: --brokers, --redis`)
  return fetchMavenArtifacts()
}

/** They find their POM, and what Maven fetched, by their own place in the sources: so they are run from there. */
async function importSupport<T>(name: string): Promise<T> {
  const { runnerImport } = await import('vite')
  const { module } = await runnerImport<T>(join(PACKAGE_ROOT, `test/support/${name}.ts`), {
    configFile: false,
    logLevel: 'error',
    root: PACKAGE_ROOT,
  })
  return module
}
