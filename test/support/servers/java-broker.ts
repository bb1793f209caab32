import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import { brokerSettings } from './broker-settings.ts'
import { assertPortFree, freePorts } from './free-ports.ts'
import { fetchMavenArtifacts, NO_PERF_DATA } from './maven-artifacts.ts'
import { makeWorkDir, type ServerProcess, startServerProcess } from './server-process.ts'

export type BrokerOptions = {
  /** Kept when the broker stops, so that the next one can continue it; without it the data is temporary. */
  readonly dataDir?: string
  readonly port?: number
  /** The JVM's heap and compilers; left out: small, and quick to start. */
  readonly jvm?: readonly string[]
  /** Added to the settings of every test broker; the same names replace them. */
  readonly settings?: Readonly<Record<string, string>>
  /** How many brokers its cluster then has; 1 if left out. */
  readonly clusterSize?: number
}

const SMALL_JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/**
 * Starts a one-node KRaft Kafka on 127.0.0.1. Needs what `missingForMaven` checks.
 *
 * To restart one: `startBroker({ dataDir, port: broker.port })` after `broker.kill(…)` or `broker.stop()`.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<ServerProcess> {
  const { kafkaClasspath } = await fetchMavenArtifacts()
  const [freePort, controllerPort] = await freePorts(2)
  const port = options.port ?? freePort!
  await assertPortFree(port)
  const workDir = await makeWorkDir('kafka')
  const dataDir = options.dataDir ?? join(workDir, 'data')
  const settingsFile = join(workDir, 'server.properties')
  await writeFile(settingsFile, serverProperties(port, controllerPort!, dataDir, options.settings))

  const java = [
    ...(options.jvm ?? SMALL_JVM),
    // A JVM ignores TMPDIR, and a killed broker would leave libraries in /tmp.
    ...[NO_PERF_DATA, `-Djava.io.tmpdir=${workDir}`],
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ...['-cp', kafkaClasspath],
  ]
  if (!existsSync(join(dataDir, 'meta.properties'))) await formatStorage(java, settingsFile)
  return startServerProcess({
    name: 'Kafka',
    command: 'java',
    args: [...java, 'kafka.Kafka', settingsFile],
    workDir,
    port,
    isReady: () => isBrokerReady(port, options.clusterSize ?? 1),
    readyTimeoutMs: 60_000,
    stopSignal: options.dataDir === undefined ? 'SIGKILL' : 'SIGTERM',
  })
}

/** Starts a cluster of two: the first is its controller. */
export async function startTwoBrokers(): Promise<readonly ServerProcess[]> {
  const [firstPort, controllerPort, secondPort] = await freePorts(3)
  const controller = { 'controller.quorum.voters': `1@127.0.0.1:${controllerPort}` }
  const first = await startBroker({
    port: firstPort!,
    settings: {
      ...controller,
      listeners: `PLAINTEXT://127.0.0.1:${firstPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    },
  })
  try {
    const settings = {
      ...controller,
      'process.roles': 'broker',
      'node.id': '2',
      listeners: `PLAINTEXT://127.0.0.1:${secondPort}`,
    }
    return [first, await startBroker({ port: secondPort!, settings, clusterSize: 2 })]
  } catch (error) {
    await first.stop()
    throw error
  }
}

function serverProperties(
  port: number,
  controllerPort: number,
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDir,
    ...brokerSettings,
    ...more,
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

async function formatStorage(java: readonly string[], settingsFile: string): Promise<void> {
  // 16 bytes in base64; every cluster here is alone, so they may share the id.
  const clusterId = Buffer.from('upswell-test-001').toString('base64url')
  await promisify(execFile)('java', [
    ...java,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    settingsFile,
  ])
}

async function isBrokerReady(port: number, clusterSize: number): Promise<boolean> {
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    // It answers before the controller has let it lead partitions; until then the cluster counts no broker.
    if ((await admin.describeCluster()).brokers.length !== clusterSize) return false
    // The first group makes the topic of offsets; a test's consumer would meet errors meanwhile.
    await admin.fetchOffsets({ groupId: 'is-the-broker-ready' })
    return true
  } catch {
    return false
  } finally {
    await admin.disconnect()
  }
}
