import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedBackend } from '../../../src/app/embedded-backend.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { runJumpingClock, runOneOldLine, type TimeRun } from '../../support/time/time-runs.ts'

async function embedded(run: (options: TimeRun) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-'))
  const backend = await openEmbeddedBackend({ directory, partitions: 1 })
  try {
    expect(await backend.store.time()).toBeUndefined()
    await run({ backend, topics: topicNames('') })
  } finally {
    await backend.close()
    await rm(directory, { recursive: true, force: true })
  }
}

test('one old line stops the time of no live account', () => embedded(runOneOldLine))

test('a clock that jumps moves no account out of reach: each signal counts', () => embedded(runJumpingClock))
