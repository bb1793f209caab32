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
  /** It is ready when its cluster has this many brokers; 1 if left out. 0: when it answers at all. */
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

/** A broker of a cluster. After it was killed, `restart` starts it again with its data. */
export type ClusterBroker = ServerProcess & { restart(): Promise<ServerProcess> }

/** Starts a cluster of two: the first is its controller. */
export function startTwoBrokers(): Promise<readonly ServerProcess[]> {
  return startCluster(2)
}

/**
 * Starts a cluster of three that keeps everything three times, and accepts what two have. The first is its
 * controller.
 */
export function startThreeBrokers(dataDir: string): Promise<readonly ClusterBroker[]> {
  const replicated = {
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
  }
  return startCluster(3, { dataDir, settings: replicated })
}

async function startCluster(
  size: number,
  kept: { readonly dataDir?: string; readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<readonly ClusterBroker[]> {
  const [controllerPort, ...ports] = await freePorts(size + 1)
  const brokers: ClusterBroker[] = []
  try {
    for (const [i, port] of ports.entries()) {
      const isController = i === 0
      const controller = `,CONTROLLER://127.0.0.1:${controllerPort}`
      const options: BrokerOptions = {
        port,
        ...(kept.dataDir === undefined ? {} : { dataDir: join(kept.dataDir, `broker-${i + 1}`) }),
        settings: {
          ...kept.settings,
          'process.roles': isController ? 'broker,controller' : 'broker',
          'node.id': String(i + 1),
          'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
          listeners: `PLAINTEXT://127.0.0.1:${port}${isController ? controller : ''}`,
        },
      }
      // The topic of offsets needs all of its replicas: only the last broker waits for it.
      const restart = () => startBroker({ ...options, clusterSize: size })
      const isLast = i === size - 1
      const broker = await startBroker({ ...options, clusterSize: isLast ? size : 0 })
      brokers.push({ ...broker, restart })
    }
    return brokers
  } catch (error) {
    await Promise.all(brokers.map(broker => broker.stop()))
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
    const { brokers } = await admin.describeCluster()
    if (clusterSize === 0) return true
    if (brokers.length !== clusterSize) return false
    // The first group makes the topic of offsets; a test's consumer would meet errors meanwhile.
    await admin.fetchOffsets({ groupId: 'is-the-broker-ready' })
    return true
  } catch {
    return false
  } finally {
    await admin.disconnect()
  }
}
