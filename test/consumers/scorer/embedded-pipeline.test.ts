import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openEmbeddedBackend } from '../../../src/app/embedded-backend.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { CROWDED_MODELS, CROWDED_MOVES, CROWDED_SIGNALS, movesOf } from '../../support/crowded-input.ts'
import { countValues, expectedOutputs, MODELS, pipelineSignals } from '../../support/pipeline-input.ts'
import { type Outputs, runPipeline } from '../../support/run-pipeline.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 })

describe('the embedded backend', () => {
  const signals = pipelineSignals(30, 90)
  let expected: Outputs
  let directory: string

  beforeAll(() => {
    expected = expectedOutputs(signals, (fold, slow) => expect(fold).toEqual(slow))
    console.log(
      `${signals.length} signals: ${countValues(expected.tierChanges)} tier changes, ${countValues(expected.pqlEvents)} PQL events`,
    )
    expect(countValues(expected.tierChanges)).toBeGreaterThan(50)
  })

  afterEach(() => rm(directory, { recursive: true, force: true }))

  test.each([
    { batchSize: 500, partitions: 1, ticks: false, restart: false },
    { batchSize: 7, partitions: 3, ticks: true, restart: false },
    { batchSize: 500, partitions: 12, ticks: true, restart: true },
    { batchSize: 1, partitions: 3, ticks: false, restart: true },
  ])(
    'publishes exactly the expected bytes: batches of $batchSize, $partitions partitions, ticks $ticks, restart $restart',
    async ({ partitions, ...rest }) => {
      directory = await mkdtemp(join(tmpdir(), 'upswell-'))
      const outputs = await runPipeline({
        open: () => openEmbeddedBackend({ directory, partitions }),
        topics: topicNames(''),
        models: MODELS,
        signals,
        ...rest,
      })
      expect(outputs.tierChanges).toEqual(expected.tierChanges)
      expect(outputs.pqlEvents).toEqual(expected.pqlEvents)
    },
  )

  test('scores what models read, and counts all signals, of an account beyond its limits', async () => {
    directory = await mkdtemp(join(tmpdir(), 'upswell-'))
    const outputs = await runPipeline({
      open: () => openEmbeddedBackend({ directory, partitions: 1 }),
      topics: topicNames(''),
      models: CROWDED_MODELS,
      signals: CROWDED_SIGNALS,
      batchSize: 100,
      ticks: false,
      restart: true,
    })
    expect(movesOf(outputs)).toEqual(CROWDED_MOVES)
  })
})
