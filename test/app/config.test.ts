import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Config, describeSettings, PACKAGE_ROOT, readConfig, SETTINGS } from '../../src/app/config.ts'
import { UpswellError } from '../../src/lib/errors.ts'

const DEFAULTS: Config = {
  kafkaBrokers: [],
  redisUrl: 'redis://127.0.0.1:6379',
  dataDir: '.upswell',
  models: [join(PACKAGE_ROOT, 'models')],
  allowEditedModels: false,
  host: '127.0.0.1',
  port: 8080,
  partitions: 4,
  namespace: 'default',
  topicPrefix: '',
  group: 'upswell',
  instanceId: '',
  batchSize: 5000,
  scoreThreads: 1,
  tickIntervalMs: 1000,
  sessionTimeoutMs: 30_000,
  flushIntervalMs: 250,
  checkpointIntervalMs: 300_000,
  parityIntervalMs: 3_600_000,
  memoryMib: 0,
  logLevel: 'info',
  noColor: false,
  production: false,
}

const START_DIRECTORY = process.cwd()
afterEach(() => process.chdir(START_DIRECTORY))

describe('settings', () => {
  test('all have a default', () => {
    expect(readConfig({})).toEqual(DEFAULTS)
    expect(SETTINGS.map(({ key }) => key).sort()).toEqual(Object.keys(DEFAULTS).sort())
  })

  test('take their default if they are empty', () => {
    const empty = Object.fromEntries(SETTINGS.map(({ variable }) => [variable, '']))
    expect(readConfig(empty)).toEqual(DEFAULTS)
  })

  const ACCEPTED: readonly [variable: string, value: string, key: keyof Config, read: unknown][] = [
    ['KAFKA_BROKERS', 'k1:9092', 'kafkaBrokers', ['k1:9092']],
    ['KAFKA_BROKERS', ' k1:9092, k2.example:19092 ,', 'kafkaBrokers', ['k1:9092', 'k2.example:19092']],
    ['REDIS_URL', 'redis://r:6379', 'redisUrl', 'redis://r:6379'],
    ['REDIS_URL', 'rediss://me:secret@r:6380/2', 'redisUrl', 'rediss://me:secret@r:6380/2'],
    ['UPSWELL_DATA_DIR', '/var/lib/upswell data', 'dataDir', '/var/lib/upswell data'],
    ['UPSWELL_ALLOW_EDITED_MODELS', 'true', 'allowEditedModels', true],
    ['UPSWELL_ALLOW_EDITED_MODELS', 'false', 'allowEditedModels', false],
    ['UPSWELL_HOST', '0.0.0.0', 'host', '0.0.0.0'],
    ['UPSWELL_PORT', '0', 'port', 0],
    ['UPSWELL_PORT', '65535', 'port', 65_535],
    ['UPSWELL_PARTITIONS', '1', 'partitions', 1],
    ['UPSWELL_PARTITIONS', '1000', 'partitions', 1000],
    ['UPSWELL_NAMESPACE', 'eu-west_1.a', 'namespace', 'eu-west_1.a'],
    ['UPSWELL_NAMESPACE', 'n'.repeat(100), 'namespace', 'n'.repeat(100)],
    ['UPSWELL_TOPIC_PREFIX', 'prod.', 'topicPrefix', 'prod.'],
    ['UPSWELL_GROUP', 'g', 'group', 'g'],
    ['UPSWELL_INSTANCE_ID', 'score-0.eu_1', 'instanceId', 'score-0.eu_1'],
    ['UPSWELL_BATCH_SIZE', '1', 'batchSize', 1],
    ['UPSWELL_BATCH_SIZE', '10000', 'batchSize', 10_000],
    ['UPSWELL_SCORE_THREADS', '1', 'scoreThreads', 1],
    ['UPSWELL_SCORE_THREADS', '64', 'scoreThreads', 64],
    ['UPSWELL_TICK_INTERVAL_MS', '50', 'tickIntervalMs', 50],
    ['UPSWELL_TICK_INTERVAL_MS', '3600000', 'tickIntervalMs', 3_600_000],
    ['UPSWELL_SESSION_TIMEOUT_MS', '6000', 'sessionTimeoutMs', 6000],
    ['UPSWELL_SESSION_TIMEOUT_MS', '300000', 'sessionTimeoutMs', 300_000],
    ...['debug', 'info', 'warn', 'error', 'silent'].map(
      level => ['UPSWELL_LOG_LEVEL', level, 'logLevel', level] as [string, string, keyof Config, string],
    ),
    ['NO_COLOR', '1', 'noColor', true],
    ['NODE_ENV', 'production', 'production', true],
    ['NODE_ENV', 'development', 'production', false],
  ]
  test.each(ACCEPTED)('accept %s=%s', (variable, value, key, read) => {
    expect(readConfig({ [variable]: value })).toEqual({ ...DEFAULTS, [key]: read })
  })

  const BROKERS = 'host:port is accepted, several separated by commas'
  const REDIS = 'a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/0 is accepted'
  const NAME = '1 to 100 letters, digits, dots, underscores and hyphens are accepted'
  const REFUSED: readonly [variable: string, value: string, accepted: string][] = [
    ['KAFKA_BROKERS', 'k1', BROKERS],
    ['KAFKA_BROKERS', 'k1:9092,k2', BROKERS],
    ['KAFKA_BROKERS', ':9092', BROKERS],
    ['KAFKA_BROKERS', 'k1:0', BROKERS],
    ['KAFKA_BROKERS', 'k1:65536', BROKERS],
    ['KAFKA_BROKERS', 'k1:9092;k2:9092', BROKERS],
    ['KAFKA_BROKERS', 'http://k1:9092', BROKERS],
    ['REDIS_URL', 'localhost:6379', REDIS],
    ['REDIS_URL', 'http://r:6379', REDIS],
    ['UPSWELL_MODELS', ',', 'at least one file or folder is accepted'],
    ['UPSWELL_ALLOW_EDITED_MODELS', 'yes', 'true or false is accepted'],
    ['UPSWELL_ALLOW_EDITED_MODELS', '1', 'true or false is accepted'],
    ['UPSWELL_PORT', '65536', 'a whole number from 0 to 65535 is accepted'],
    ['UPSWELL_PORT', '-1', 'a whole number from 0 to 65535 is accepted'],
    ['UPSWELL_PORT', '80.5', 'a whole number from 0 to 65535 is accepted'],
    ['UPSWELL_PORT', '0x50', 'a whole number from 0 to 65535 is accepted'],
    ['UPSWELL_PORT', ' 80', 'a whole number from 0 to 65535 is accepted'],
    ['UPSWELL_PARTITIONS', '0', 'a whole number from 1 to 1000 is accepted'],
    ['UPSWELL_PARTITIONS', '1001', 'a whole number from 1 to 1000 is accepted'],
    ['UPSWELL_NAMESPACE', 'a b', NAME],
    ['UPSWELL_NAMESPACE', '{a}', NAME],
    ['UPSWELL_NAMESPACE', 'n'.repeat(101), NAME],
    ['UPSWELL_TOPIC_PREFIX', 'a/b', NAME],
    ['UPSWELL_GROUP', 'a:b', NAME],
    ['UPSWELL_INSTANCE_ID', 'score/0', NAME],
    ['UPSWELL_INSTANCE_ID', 'i'.repeat(101), NAME],
    ['UPSWELL_BATCH_SIZE', '0', 'a whole number from 1 to 10000 is accepted'],
    ['UPSWELL_BATCH_SIZE', '10001', 'a whole number from 1 to 10000 is accepted'],
    ['UPSWELL_SCORE_THREADS', '0', 'a whole number from 1 to 64 is accepted'],
    ['UPSWELL_SCORE_THREADS', '65', 'a whole number from 1 to 64 is accepted'],
    ['UPSWELL_TICK_INTERVAL_MS', '49', 'a whole number from 50 to 3600000 is accepted'],
    ['UPSWELL_TICK_INTERVAL_MS', '1s', 'a whole number from 50 to 3600000 is accepted'],
    ['UPSWELL_SESSION_TIMEOUT_MS', '5999', 'a whole number from 6000 to 300000 is accepted'],
    ['UPSWELL_SESSION_TIMEOUT_MS', '300001', 'a whole number from 6000 to 300000 is accepted'],
    ['UPSWELL_LOG_LEVEL', 'trace', 'one of debug, info, warn, error, silent is accepted'],
    ['UPSWELL_LOG_LEVEL', 'Info', 'one of debug, info, warn, error, silent is accepted'],
  ]
  test.each([
    'redis://me:s3cret@r:port',
    'http://me:s3cret@r:6379',
    'me:s3cret@r:6379',
    'redis://s3cret:x',
    'redis://me:s3#cret@r',
  ])('refuse REDIS_URL=%s without showing its password', value => {
    expect(problemsOf({ REDIS_URL: value }).join()).toMatch(/^REDIS_URL is .*REDIS|a URL such as/)
    expect(problemsOf({ REDIS_URL: value }).join()).not.toMatch(/s3|cret/)
  })

  test.each(REFUSED)('refuse %s=%s', (variable, value, accepted) => {
    expect(problemsOf({ [variable]: value })).toEqual([
      `${variable} is ${JSON.stringify(value)}; ${accepted}`,
    ])
  })

  test('report all problems at once: wrong values in the order of the help, then unknown settings', () => {
    const problems = problemsOf({
      UPSWELL_LOG_LEVEL: 'loud',
      UPSWELL_PROT: '80',
      UPSWELL_PORT: 'http',
      KAFKA_BROKERS: 'k1',
      UPSWELL_COLOUR: 'no',
    })
    expect(problems).toEqual([
      `KAFKA_BROKERS is "k1"; ${BROKERS}`,
      'UPSWELL_PORT is "http"; a whole number from 0 to 65535 is accepted',
      'UPSWELL_LOG_LEVEL is "loud"; one of debug, info, warn, error, silent is accepted',
      'UPSWELL_PROT is not a setting; did you mean UPSWELL_PORT? (upswell --help lists them all)',
      'UPSWELL_COLOUR is not a setting (upswell --help lists them all)',
    ])
  })

  test.each([
    ['UPSWELL_DATADIR', 'UPSWELL_DATA_DIR'],
    ['UPSWELL_MODEL', 'UPSWELL_MODELS'],
    ['UPSWELL_BATCHSIZE', 'UPSWELL_BATCH_SIZE'],
    ['UPSWELL_SESSION_TIMEOUT', 'UPSWELL_SESSION_TIMEOUT_MS'],
    ['UPSWELL_KAFKA_BROKERS', 'KAFKA_BROKERS'],
  ])('%s is taken for a mistyped %s', (typed, meant) => {
    expect(problemsOf({ [typed]: 'x' })).toEqual([
      `${typed} is not a setting; did you mean ${meant}? (upswell --help lists them all)`,
    ])
  })

  test('ignore variables of other programs', () => {
    expect(readConfig({ PATH: '/bin', npm_config_port: 'x', UPSWELL_REQUIRE_INTEGRATION: '1' })).toEqual(
      DEFAULTS,
    )
  })

  test('ignore the service links that Kubernetes sets for a service named upswell-api', () => {
    const links = {
      UPSWELL_API_SERVICE_HOST: '10.0.0.11',
      UPSWELL_API_SERVICE_PORT: '8080',
      UPSWELL_API_SERVICE_PORT_HTTP: '8080',
      UPSWELL_API_PORT: 'tcp://10.0.0.11:8080',
      UPSWELL_API_PORT_8080_TCP: 'tcp://10.0.0.11:8080',
      UPSWELL_API_PORT_8080_TCP_PROTO: 'tcp',
      UPSWELL_API_PORT_8080_TCP_PORT: '8080',
      UPSWELL_API_PORT_8080_TCP_ADDR: '10.0.0.11',
    }
    expect(readConfig(links)).toEqual(DEFAULTS)
    expect(problemsOf({ UPSWELL_API_PORT: '8080' })).toHaveLength(1)
  })

  test('cannot be changed after they are read', () => {
    const config = readConfig({}) as { port: number }
    expect(Object.isFrozen(config)).toBe(true)
    expect(() => {
      config.port = 1
    }).toThrow(TypeError)
  })
})

describe('model paths', () => {
  test('are relative to the working directory if they exist there', () => {
    process.chdir(PACKAGE_ROOT)
    expect(readConfig({ UPSWELL_MODELS: 'models, bench/rolling-score.yaml' }).models).toEqual([
      'models',
      'bench/rolling-score.yaml',
    ])
  })

  test('are otherwise relative to the package', () => {
    process.chdir('/')
    expect(readConfig({}).models).toEqual([join(PACKAGE_ROOT, 'models')])
    expect(existsSync(join(PACKAGE_ROOT, 'package.json'))).toBe(true)
  })

  test('stay unchanged if they exist nowhere, for the error message', () => {
    expect(readConfig({ UPSWELL_MODELS: 'nowhere.yaml,/nowhere' }).models).toEqual([
      'nowhere.yaml',
      '/nowhere',
    ])
  })
})

describe('the help', () => {
  test('has a line for every setting, with its default', () => {
    const [title, ...lines] = describeSettings().split('\n')
    expect(title).toBe('Settings (environment variables):')
    expect(lines.map(line => line.trim().split(' ')[0])).toEqual(SETTINGS.map(({ variable }) => variable))
    for (const [i, setting] of SETTINGS.entries())
      expect(lines[i]!.endsWith(` (${setting.default})`)).toBe(setting.default !== '')
  })
})

function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
  } catch (error) {
    expect(error).toBeInstanceOf(UpswellError)
    const { code, message } = error as UpswellError
    expect(code).toBe('INVALID_SETTINGS')
    const [title, ...problems] = message.split('\n')
    expect(title).toBe('wrong settings:')
    return problems.map(problem => problem.replace(/^ {2}/, ''))
  }
  throw new Error('nothing was refused')
}
