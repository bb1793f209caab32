import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedBackend } from '../../../src/app/embedded-backend.ts'
import { Recomputation } from '../../../src/consumers/parity/recomputation.ts'
import { topicNames } from '../../../src/log/topic-names.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import { createPartitionMemory } from '../../../src/scoring/partition-memory.ts'
import { expectMisplacedRejected } from '../../contract/misplaced-signals.ts'
import { signal, signalAt } from '../../support/one-partition.ts'

test('signals in the partitions of another partitioner are dead letters, and each account has one state', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'upswell-'))
  const backend = await openEmbeddedBackend({ directory, partitions: 4 })
  try {
    await expectMisplacedRejected(backend, topicNames(''))
  } finally {
    await backend.close()
    await rm(directory, { recursive: true, force: true })
  }
}, 60_000)

test('parity recomputes an account without the signals that were rejected for their partition', () => {
  const sampled = { accountId: 'known', storedOffset: 8, core: undefined, chunks: undefined }
  // In partition 0 of one partition the account is right, in partition 0 of seven it is wrong.
  const recomputed = [1, 7].map(partitions => {
    const state = { memory: createPartitionMemory(), accounts: new Map() }
    const recomputation = new Recomputation({ library: new ModelLibrary(), partitions }, state, [sampled])
    recomputation.take(signalAt(7, signal('a', 'known')))
    return recomputation.finish()
  })
  expect(recomputed).toMatchObject([[{ recomputedLastOffset: 7 }], [{ recomputedLastOffset: undefined }]])
})
