import { join } from 'node:path'
import { expect, test } from 'vitest'
import { neverSeenNames } from '../../src/analysis/never-seen-names.ts'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { readModels } from '../../src/models/model-files.ts'
import { ModelLibrary } from '../../src/models/model-library.ts'

const library = new ModelLibrary()
const models = library.compileAll(await readModels(join(PACKAGE_ROOT, 'models/expansion-revenue-score.yaml')))

test('names that some account has are left out, and patterns that one of its names matches', () => {
  const all = neverSeenNames(models, new Set())
  const exact = all.find(name => !name.endsWith('*'))!
  const pattern = all.find(name => name.endsWith('*'))!
  const left = neverSeenNames(models, new Set([exact, `${pattern.slice(0, -1)}x`]))
  expect(left).toEqual(all.filter(name => name !== exact && name !== pattern))
})

test('each name is listed once, ascending, without overrides', () => {
  const all = neverSeenNames([...models, ...models], new Set())
  expect(all).toEqual([...new Set(all)].sort())
  expect(all.filter(name => name.startsWith('override:'))).toEqual([])
  expect(all.length).toBeGreaterThan(5)
})
