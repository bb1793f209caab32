import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import type { Backend } from '../../src/consumers/backend.ts'
import { unlimitedShares } from '../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../src/consumers/scorer/publication.ts'
import { startScoring } from '../../src/consumers/scorer/score-partitions.ts'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { silent, until } from '../support/log-handlers.ts'
import { pipelineSignals } from '../support/pipeline-input.ts'
import { type Answer, ask, isRefusal, Polling } from '../support/servers/polling.ts'
import { buildCli, CliProcess, type Environment, getJson, runCli, temporaryFolder, untilJson } from './cli.ts'

const BUILD_TIMEOUT_MS = 150_000
const PARTITIONS = 2
const TOPICS = topicNames('')
const MODELS = ['bench/rolling-score.yaml', 'models/expansion-revenue-score.yaml'].map(file => ({
  file,
  text: readFileSync(join(PACKAGE_ROOT, file), 'utf8'),
}))
let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

/** A data directory with scored signals, or with none. */
async function scored(signals: ReturnType<typeof pipelineSignals>): Promise<Environment> {
  const directory = await temporaryFolder()
  await withBackend(directory, async backend => {
    const { log, store } = backend
    await log.append(signals.map(signal => signalRecord(TOPICS.signals, signal, signal.occurredAt, 'event')))
    const scoring = await startScoring({
      backend,
      publication: alwaysServing(TOPICS),
      library: new ModelLibrary(),
      logger: silent,
      shares: unlimitedShares(),
      onScored: () => {},
      source: { topic: TOPICS.signals, group: 'upswell-score', batchSize: 500 },
      ticks: { models: MODELS, now: Date.now, intervalMs: 50 },
    })
    const ranges = await log.ranges(TOPICS.signals)
    for (const [partition, { end }] of ranges)
      await until(async () => (await store.readStoredOffset(partition)) >= end)
    await until(() => scoring.modelsActive())
    await scoring.stop()
  })
  return { UPSWELL_DATA_DIR: directory, UPSWELL_PARTITIONS: String(PARTITIONS) }
}

async function withBackend<T>(directory: string, use: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
  try {
    return await use(backend)
  } finally {
    await backend.close()
  }
}

/** The store as readers see it. */
async function contentsOf({ UPSWELL_DATA_DIR: directory }: Environment): Promise<unknown[]> {
  return await withBackend(directory!, async ({ store }) => {
    const contents: unknown[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { storedOffset, state } = await store.readPartition(partition)
      const buckets = Array.from({ length: 256 }, (_, bucket) => bucket)
      const ids = await store.due(partition, buckets, Number.POSITIVE_INFINITY)
      const due = await store.due(partition, buckets, Date.parse('2026-03-06'))
      const accounts = (await store.load(partition, ids)).map(bytes => Buffer.from(bytes!).toString('hex'))
      const chunks = await store.loadUserChunks(
        partition,
        ids.map(accountId => ({ accountId, chunk: '0' })),
      )
      const users = chunks.map(bytes => bytes && Buffer.from(bytes).toString('hex'))
      const counters = await store.readPartitionCounters(partition)
      contents.push({ storedOffset, state: String(state), ids, due, accounts, users, counters })
    }
    return contents
  })
}

test('rebuilds the store as it was, completely or by partitions', async () => {
  const env = await scored(pipelineSignals(20, 30))
  const before = await contentsOf(env)
  for (const [args, partitions] of [
    [[], 2],
    [['--from-log'], 2],
    [['--partition', '1'], 1],
  ] as const) {
    const { code, stdout, stderr } = await runCli(main, ['rebuild', ...args], { env })
    expect([code, stderr.includes('error')]).toEqual([0, false])
    expect(stdout).toMatch(
      new RegExp(`^Rebuilt \\d+ accounts in ${partitions} partitions of default, in [\\d.]+ s\\.\n$`),
    )
    expect(await contentsOf(env)).toEqual(before)
  }
  const unknown = await runCli(main, ['rebuild', '--partition', '7'], { env })
  expect(unknown).toMatchObject({
    code: 2,
    stdout: '',
    stderr: 'upswell: INVALID_SETTINGS: signals has no partition 7; 0 to 1 are accepted\n',
  })
}, 60_000)

test('a running service answers as before or with 503 while it is rebuilt', async () => {
  const env = await scored(pipelineSignals(200, 60))
  const served = { ...env, UPSWELL_PORT: '0', UPSWELL_MODELS: MODELS.map(({ file }) => file).join() }
  const upswell = new CliProcess(main, ['start'], { env: served, cwd: PACKAGE_ROOT }).endWithTest()
  const [url] = await upswell.says(/http:\/\/127\.0\.0\.1:\d+/)
  await untilJson(`${url}/readyz`, ({ status }) => status === 200)
  const { items } = (await getJson(`${url}/v1/accounts`)).body as { items: { accountId: string }[] }
  const paths = [
    '/v1/accounts',
    '/v1/accounts?model=none',
    '/v1/accounts/nobody',
    ...items.slice(0, 5).map(({ accountId }) => `/v1/accounts/${accountId}`),
  ]
  const before = new Map(await Promise.all(paths.map(async path => [path, await ask(url + path)] as const)))
  const polling = new Polling(paths, () => url)
  expect(await runCli(main, ['rebuild'], { env })).toMatchObject({ code: 0 })
  await untilJson(`${url}/readyz`, ({ status }) => status === 200)
  const answers = await polling.stop()
  expect(answers.filter(({ answer }) => isRefusal(answer)).length).toBeGreaterThan(0)
  // Time passes meanwhile, so accounts may move on. They do not go back.
  const wrong = answers.filter(({ url: path, answer }) => {
    const known = before.get(path)!
    const isSame = answer.status === known.status && progressIn(answer) >= progressIn(known)
    return !isSame && !isRefusal(answer)
  })
  expect(wrong).toEqual([])
}, 60_000)

/** How many accounts a list has, or the offset of the last record of an account. */
function progressIn({ body }: Answer): number {
  const { items, sequence } = JSON.parse(body) as { items?: unknown[]; sequence?: string }
  return items?.length ?? Number(sequence?.split(':')[1] ?? 0)
}

test('says that nothing was scored yet', async () => {
  const env = { UPSWELL_DATA_DIR: await temporaryFolder() }
  expect(await runCli(main, ['rebuild'], { env })).toMatchObject({
    code: 0,
    stdout: 'No record of signals has been scored yet: there is nothing to rebuild.\n',
    stderr: '',
  })
})
