import { expect, test } from 'vitest'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { decodePartitionMemory, encodePartitionMemory } from '../../src/models/partition-memory-codec.ts'
import {
  createPartitionMemory,
  type PartitionMemory,
  versionsOf,
} from '../../src/scoring/partition-memory.ts'
import { modelText } from './model-text.ts'

const library = new ModelLibrary()
const models = library.compileAll([{ file: 'm.yaml', text: modelText() }])

test('a memory is read as it was written', () => {
  const memory: PartitionMemory = {
    modelSets: [{ offset: 4, at: 9_000, models, liveOffset: 2 }],
    liveOffset: 7,
    release: { next: 1, of: 4, slices: 2 },
    promotion: { offset: 5, namespace: 'n/v2', replacedModels: ['a'], isComplete: false },
    knownVersions: versionsOf(models),
  }
  expect(decodePartitionMemory(encodePartitionMemory(memory, library), library)).toEqual(memory)
  const empty = createPartitionMemory()
  expect(decodePartitionMemory(encodePartitionMemory(empty, library), library)).toEqual(empty)
})

test('the flag of version 1, which stopped the time of all accounts, is dropped: they are live', () => {
  const stored = {
    version: 1,
    history: true,
    modelSets: [{ offset: 4, at: 0, models: models.map(model => library.sourceOf(model)) }],
  }
  expect(decodePartitionMemory(Buffer.from(JSON.stringify(stored)), library)).toEqual({
    modelSets: [{ offset: 4, at: 0, models, liveOffset: -1 }],
    liveOffset: -1,
    release: undefined,
    promotion: undefined,
    knownVersions: versionsOf(models),
  })
})
