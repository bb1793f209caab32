import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UpswellError } from '../lib/errors.ts'
import { nearestName } from '../lib/nearest-name.ts'
import {
  hostAndPort,
  listOf,
  memory,
  modelPaths,
  name,
  oneOf,
  optionalName,
  redisUrl,
  text,
  trueOrFalse,
  wholeNumber,
} from './setting-values.ts'

/**
 * The folder of the package. Relative model paths that do not exist in the working directory are looked for
 * here.
 */
export const PACKAGE_ROOT = resolve(
  dirname(fileURLToPath(import.meta.url)),
  import.meta.url.endsWith('.ts') ? '../..' : '../../..',
)

/** The settings of one process. Each is an environment variable; only this file reads `process.env`. */
export interface Config {
  /** Empty: the embedded default runs. */
  readonly kafkaBrokers: readonly string[]
  readonly redisUrl: string
  readonly dataDir: string
  readonly models: readonly string[]
  /** Whether a model file may change without a new version: only to try models. */
  readonly allowEditedModels: boolean
  readonly host: string
  readonly port: number
  readonly partitions: number
  readonly namespace: string
  readonly topicPrefix: string
  readonly group: string
  /** Empty: the host's name, and the address and port that the process listens on. */
  readonly instanceId: string
  readonly batchSize: number
  /** On Kafka only. 1: the main thread scores. */
  readonly scoreThreads: number
  readonly tickIntervalMs: number
  readonly sessionTimeoutMs: number
  readonly flushIntervalMs: number
  readonly checkpointIntervalMs: number
  readonly parityIntervalMs: number
  /** 0: as much as the container and Node's heap allow. */
  readonly memoryMib: number
  readonly logLevel: LogLevel
  readonly noColor: boolean
  /** Embedded data is begun only if somebody asks for it: `KAFKA_BROKERS` may have been forgotten. */
  readonly production: boolean
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

interface Setting {
  readonly key: keyof Config
  readonly variable: string
  readonly default: string
  readonly about: string
  /** @throws Error that says what is accepted */
  readonly parse: (text: string) => unknown
}

const setting = (
  key: keyof Config,
  variable: string,
  fallback: string,
  about: string,
  parse: (text: string) => unknown,
): Setting => ({
  key,
  variable,
  default: fallback,
  about,
  parse,
})

/** Every setting, in the order in which `--help` shows them. */
export const SETTINGS: readonly Setting[] = [
  setting(
    'kafkaBrokers',
    'KAFKA_BROKERS',
    '',
    'Kafka brokers, host:port separated by commas; empty: embedded, without Kafka and Redis',
    listOf(hostAndPort),
  ),
  setting(
    'redisUrl',
    'REDIS_URL',
    'redis://127.0.0.1:6379',
    'the Redis server; used only with Kafka',
    redisUrl,
  ),
  setting(
    'dataDir',
    'UPSWELL_DATA_DIR',
    '.upswell',
    'the folder for the data when embedded; not used with Kafka',
    text,
  ),
  setting(
    'models',
    'UPSWELL_MODELS',
    'models',
    'model files or folders, separated by commas',
    modelPaths(PACKAGE_ROOT),
  ),
  setting(
    'allowEditedModels',
    'UPSWELL_ALLOW_EDITED_MODELS',
    'false',
    'true: a model file may change without a new version; only to try models',
    trueOrFalse,
  ),
  setting('host', 'UPSWELL_HOST', '127.0.0.1', 'the address that the API listens on', text),
  setting('port', 'UPSWELL_PORT', '8080', 'the port that the API listens on', wholeNumber(0, 65_535)),
  setting(
    'partitions',
    'UPSWELL_PARTITIONS',
    '4',
    'partitions of new topics; later only a replay can raise the number',
    wholeNumber(1, 1000),
  ),
  setting(
    'namespace',
    'UPSWELL_NAMESPACE',
    'default',
    'separates the state of several installations in one Redis',
    name,
  ),
  setting('topicPrefix', 'UPSWELL_TOPIC_PREFIX', '', 'a prefix for the name of every topic', optionalName),
  setting(
    'group',
    'UPSWELL_GROUP',
    'upswell',
    'the consumer groups are named GROUP-ingest and GROUP-score',
    name,
  ),
  setting(
    'instanceId',
    'UPSWELL_INSTANCE_ID',
    '',
    'names this process in its consumer groups, the same after a restart; on Kafka only; empty: HOSTNAME-UPSWELL_HOST-UPSWELL_PORT',
    optionalName,
  ),
  setting('batchSize', 'UPSWELL_BATCH_SIZE', '5000', 'the most records in one batch', wholeNumber(1, 10_000)),
  setting(
    'scoreThreads',
    'UPSWELL_SCORE_THREADS',
    '1',
    'score threads of one process, on Kafka only; each is a member of the consumer group',
    wholeNumber(1, 64),
  ),
  setting(
    'tickIntervalMs',
    'UPSWELL_TICK_INTERVAL_MS',
    '1000',
    'how often a scorer checks whether a tick is due, ms',
    wholeNumber(50, 3_600_000),
  ),
  setting(
    'sessionTimeoutMs',
    'UPSWELL_SESSION_TIMEOUT_MS',
    '30000',
    'after how long a process that does not answer loses its partitions, ms',
    wholeNumber(6000, 300_000),
  ),
  setting(
    'flushIntervalMs',
    'UPSWELL_FLUSH_INTERVAL_MS',
    '250',
    'how far the store may be behind the published events, ms; 0: it is written after each batch',
    wholeNumber(0, 10_000),
  ),
  setting(
    'checkpointIntervalMs',
    'UPSWELL_CHECKPOINT_INTERVAL_MS',
    '300000',
    'how often changed accounts are copied to activity-checkpoints, to restore a lost Redis faster, ms; 0: never',
    wholeNumber(0, 86_400_000),
  ),
  setting(
    'parityIntervalMs',
    'UPSWELL_PARITY_INTERVAL_MS',
    '3600000',
    'how often a scorer recomputes some accounts from the log and compares them with the store, ms; 0: never',
    wholeNumber(0, 604_800_000),
  ),
  setting(
    'memoryMib',
    'UPSWELL_MEMORY_MB',
    '0',
    "the memory that one process may take, MiB, from 256 on; 0: what its container and Node's heap allow, at most 4096",
    memory,
  ),
  setting(
    'logLevel',
    'UPSWELL_LOG_LEVEL',
    'info',
    `the lowest level of messages that are logged: ${LOG_LEVELS.join(', ')}`,
    oneOf(LOG_LEVELS),
  ),
  setting(
    'production',
    'NODE_ENV',
    '',
    'production: without KAFKA_BROKERS nothing is begun, unless upswell start has --sample or --empty',
    value => value === 'production',
  ),
  setting('noColor', 'NO_COLOR', '', 'any text turns off colours in the terminal', value => value !== ''),
]

const PREFIX = 'UPSWELL_'
/**
 * Variables with our prefix that are not settings: a switch of the tests, and the service links that
 * Kubernetes sets in every pod beside a service named `upswell-…`.
 */
const FOREIGN_VARIABLE =
  /^UPSWELL_(REQUIRE_INTEGRATION$|(.+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$))/
const SERVICE_LINK = /^(tcp|udp|sctp):\/\//

/** @throws UpswellError INVALID_SETTINGS with all problems: what was found, what is accepted */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = []
  const values: Partial<Record<keyof Config, unknown>> = {}
  for (const { key, variable, default: fallback, parse } of SETTINGS) {
    const found = environment[variable]
    try {
      values[key] = parse(found === undefined || found === '' ? fallback : found)
    } catch (error) {
      problems.push(`${variable} is ${withoutPassword(found!)}; ${(error as Error).message}`)
    }
  }
  // Compared without the prefix, which would make all names look alike.
  const known = new Map(SETTINGS.map(({ variable }) => [withoutPrefix(variable), variable]))
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || known.get(withoutPrefix(variable)) === variable) continue
    if (FOREIGN_VARIABLE.test(variable) || SERVICE_LINK.test(value ?? '')) continue
    const nearest = nearestName(withoutPrefix(variable), known.keys())
    problems.push(
      `${variable} is not a setting${nearest === undefined ? '' : `; did you mean ${known.get(nearest)}?`} (upswell --help lists them all)`,
    )
  }
  if (problems.length > 0)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `wrong settings:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    )
  return Object.freeze(values as unknown as Config)
}

/** Whether these variables choose Kafka and Redis; they may have other mistakes. */
export function namesKafka(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return (environment['KAFKA_BROKERS'] ?? '') !== ''
}

/** A misspelt URL can hold a password in any place after its scheme. */
function withoutPassword(found: string): string {
  const scheme = /^\w+:\/\//.exec(found)?.[0]
  const isPlain = !found.includes('@') && (scheme === undefined || URL.canParse(found))
  if (isPlain) return JSON.stringify(found)
  return `${JSON.stringify(`${scheme ?? ''}…`)} (the rest is not shown: it may hold a password)`
}

/** The list of settings in `--help`, with their defaults. */
export function describeSettings(): string {
  const width = Math.max(...SETTINGS.map(({ variable }) => variable.length))
  const lines = SETTINGS.map(
    ({ variable, about, default: fallback }) =>
      `  ${variable.padEnd(width)}  ${about}${fallback === '' ? '' : ` (${fallback})`}`,
  )
  return ['Settings (environment variables):', ...lines].join('\n')
}

function withoutPrefix(variable: string): string {
  return variable.startsWith(PREFIX) ? variable.slice(PREFIX.length) : variable
}
