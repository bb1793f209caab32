import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedBackend } from '../../../src/app/embedded-backend.ts'
import { unlimitedShares } from '../../../src/consumers/scorer/partition-shares.ts'
import { alwaysServing } from '../../../src/consumers/scorer/publication.ts'
import { type Scoring, startScoring } from '../../../src/consumers/scorer/score-partitions.ts'
import type { TickerOptions } from '../../../src/consumers/scorer/ticker.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import type { AccountStore } from '../../../src/store/store.ts'
import { GROWTH } from '../../api/world.ts'
import { until } from '../../support/log-handlers.ts'

const TOPICS = topicNames('')
const PARTITIONS = 2

const edit = (text: string, before: string, after: string): string => {
  expect(text).toContain(before)
  return text.replace(before, after)
}
const EDITED = edit(GROWTH, 'title:', 'title: Another')
const COMMENTED = `# Reviewed in March\n${edit(GROWTH, 'version: 3', 'version:   3 # the third')}`
const RAISED = edit(EDITED, 'version: 3', 'version: 4')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'upswell-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/**
 * Scores with one model until `done`. Returns the texts in the log's models records, and what was reported.
 */
async function score(
  text: string,
  settings: Partial<TickerOptions> = {},
  done = (scoring: Scoring): boolean => scoring.modelsActive(),
  forgetStart = false,
): Promise<{ records: string[]; errors: string[]; problem: string | undefined }> {
  const backend = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
  const { store } = backend
  const errors: string[] = []
  if (forgetStart) forgetUntilFenced(store)
  try {
    const scoring = await startScoring({
      backend,
      publication: alwaysServing(TOPICS),
      library: new ModelLibrary(),
      logger: { info: () => {}, warn: () => {}, error: message => errors.push(message) },
      shares: unlimitedShares(),
      onScored: () => {},
      source: { topic: TOPICS.signals, group: 'score', batchSize: 100 },
      ticks: { models: [{ file: 'growth.yaml', text }], now: Date.now, intervalMs: 20, ...settings },
    })
    await until(() => scoring.assignments().length === PARTITIONS && done(scoring))
    const problem = scoring.problem()
    await scoring.stop()
    return { records: await modelsRecords(backend), errors, problem }
  } finally {
    await backend.close()
  }
}

/** As a store that was lost: what it holds is known only when its partitions are restored. */
function forgetUntilFenced(store: AccountStore): void {
  const [readPartition, fence] = [store.readPartition.bind(store), store.fence.bind(store)]
  store.readPartition = async () => ({ storedOffset: 0, state: undefined })
  store.fence = (partition, token) => {
    store.readPartition = readPartition
    return fence(partition, token)
  }
}

async function modelsRecords({ log }: Awaited<ReturnType<typeof openEmbeddedBackend>>): Promise<string[]> {
  const found: string[] = []
  const ranges = await log.ranges(TOPICS.signals)
  const stretches = [...ranges].map(([partition, { first, end }]) => ({ partition, from: first, to: end }))
  for await (const { headers, value } of log.read(TOPICS.signals, stretches))
    if (String(headers['upswell-record']) === 'models') found.push(JSON.parse(String(value))[0].text)
  return found
}

const WHAT_TO_DO =
  'growth.yaml:3:10: found version 3 of growth with other content than the version 3 that is or was active in the log; ' +
  'a version keeps its content once it was active (only comments and layout may change); write "version: 4" for the edited model, ' +
  'or set UPSWELL_ALLOW_EDITED_MODELS=true on an installation that only tries models'

test('an edited model with its old version is refused before anything is written', async () => {
  await score(GROWTH)
  await expect(score(EDITED)).rejects.toMatchObject({ code: 'INVALID_MODEL', message: WHAT_TO_DO })
  expect((await score(GROWTH)).records).toEqual([GROWTH, GROWTH])
})

test('comments and layout may change: the active text stays', async () => {
  await score(GROWTH)
  expect((await score(COMMENTED)).records).toEqual([GROWTH, GROWTH])
})

test('a raised version becomes active', async () => {
  await score(GROWTH)
  expect((await score(RAISED)).records.sort()).toEqual([GROWTH, GROWTH, RAISED, RAISED].sort())
})

test('a version that goes back may not be another one, and the next free number is named', async () => {
  await score(GROWTH)
  await score(RAISED)
  await expect(score(EDITED)).rejects.toThrow('write "version: 5"')
  expect((await score(GROWTH)).records).toHaveLength(3 * PARTITIONS)
})

test('a switch allows edits, for those who try models', async () => {
  await score(GROWTH)
  const { records } = await score(EDITED, { allowEditedModels: true })
  expect(records.sort()).toEqual([GROWTH, GROWTH, EDITED, EDITED].sort())
  // The text that was active last counts.
  await score(EDITED)
  await expect(score(GROWTH)).rejects.toThrow('found version 3')
})

test('a lost store shows the edit when it is restored: scoring goes on under the active models, and says so', async () => {
  await score(GROWTH)
  const { records, errors, problem } = await score(
    EDITED,
    {},
    scoring => scoring.problem() !== undefined,
    true,
  )
  expect(records).toEqual([GROWTH, GROWTH])
  expect(problem).toBe(`a model was edited: ${WHAT_TO_DO}`)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(
    /^partition \d goes on under its active models, since a model was edited: growth.yaml:3/,
  )
})
