import { expect, test } from 'vitest'
import { ConfiguredModels } from '../../../src/consumers/scorer/configured-models.ts'
import { ModelLibrary } from '../../../src/models/model-library.ts'
import {
  addModelSet,
  beginPromotion,
  createPartitionMemory,
  MOST_KNOWN_VERSIONS,
  type PartitionMemory,
  versionsOf,
} from '../../../src/scoring/partition-memory.ts'
import { GROWTH } from '../../api/world.ts'

const version = (number: number, title = 'Growth') =>
  GROWTH.replace('version: 3', `version: ${number}`).replace('name: Growth', `name: ${title}`)

const library = new ModelLibrary()
const compile = (text: string) => library.compile({ file: 'growth.yaml', text })
const configured = (text: string, allowEditedModels = false) =>
  new ConfiguredModels(library, { models: [{ file: 'growth.yaml', text }], allowEditedModels })

function memoryAfter(...texts: readonly string[]): PartitionMemory {
  const memory = createPartitionMemory()
  for (const [offset, text] of texts.entries())
    addModelSet(memory, { offset, at: offset, models: [compile(text)] })
  return memory
}

/** A lineage with version 4 that replaced the one with version 3. */
function promoted(): PartitionMemory {
  const memory = memoryAfter(version(4))
  const before = compile(version(3))
  const replacedVersions = Object.fromEntries(versionsOf([before]))
  const replacedModels = [before.contentHash]
  beginPromotion(memory, { offset: 9, namespace: 'default/v2', replacedModels, replacedVersions })
  return memory
}

test.each([
  ['the active model', version(4), true],
  ['the replaced model', version(3), true],
  ['the replaced model with a comment', `# reviewed\n${version(3)}`, true],
  ['the active model with a comment', `# reviewed\n${version(4)}`, true],
  ['a third version', version(5), false],
  ['the replaced version, edited', version(3, 'Other'), false],
])('a promoted lineage and %s: nothing to take over is %s', (_, text, isActive) => {
  expect(configured(text).areActive(promoted())).toBe(isActive)
})

test('an edited file of a replaced version is refused by the promoted lineage', () => {
  expect(configured(version(3, 'Other')).findEdited(promoted())?.message).toContain('write "version: 5"')
  expect(configured(version(3, 'Other'), true).findEdited(promoted())).toBeUndefined()
  expect(configured(version(5)).findEdited(promoted())).toBeUndefined()
})

test('a version that the promoted lineage has itself keeps its own content', () => {
  const memory = memoryAfter(version(3, 'Other'), version(4))
  const replacedVersions = Object.fromEntries(versionsOf([compile(version(3))]))
  beginPromotion(memory, { offset: 9, namespace: 'default/v2', replacedModels: ['x'], replacedVersions })
  expect(configured(version(3, 'Other')).findEdited(memory)).toBeUndefined()
})

test('a version that was active before the last one is known too', () => {
  const memory = memoryAfter(version(1), version(2))
  expect(configured(version(1, 'Other')).findEdited(memory)?.message).toContain('write "version: 3"')
  expect(configured(version(1)).findEdited(memory)).toBeUndefined()
})

test('the oldest of many versions are forgotten', () => {
  const memory = createPartitionMemory()
  const model = compile(version(1))
  for (let offset = 0; offset <= MOST_KNOWN_VERSIONS; offset++) {
    const definition = { ...model.definition, version: offset }
    addModelSet(memory, { offset, at: offset, models: [{ ...model, definition }] })
  }
  const known = [...memory.knownVersions.keys()]
  expect([known[0], known.at(-1), known.length]).toEqual([
    'growth@1',
    `growth@${MOST_KNOWN_VERSIONS}`,
    MOST_KNOWN_VERSIONS,
  ])
})

test('a switch of models says which models end, change and begin', () => {
  const other = (id: string, number: number) => version(number).replace('id: growth', `id: ${id}`)
  const memory = createPartitionMemory()
  const models = [version(3), other('second', 1), other('third', 1)].map(compile)
  addModelSet(memory, { offset: 0, at: 0, models })
  const files = [other('third', 1), version(4), other('fourth', 1)].map(text => ({ file: 'm.yaml', text }))
  expect(new ConfiguredModels(library, { models: files }).describeSwitch(memory)).toEqual({
    text: 'second ends, and all its PQLs with it; fourth begins with v1; growth v3 becomes v4',
    ends: true,
  })
  expect(configured(version(3)).describeSwitch(memoryAfter(version(3))).ends).toBe(false)
})
