import { expect, test } from 'vitest'
import { ModelLibrary } from '../../src/models/model-library.ts'
import { modelText } from './model-text.ts'

const version = (number: number) => ({
  file: `small-${number}.yaml`,
  text: modelText({ head: `id: small\nversion: ${number}\nname: Small` }),
})

test('holds the 100 models that were asked for last, and finds those that are in use', () => {
  const library = new ModelLibrary()
  const first = library.compile(version(1))
  for (let number = 2; number <= 300; number++) library.compile(version(number))
  expect(library.held.length).toBe(100)
  expect(library.held).not.toContain(first.contentHash)
  expect(library.sourceOf(first)).toEqual(version(1))
  expect(library.compile(version(1))).toBe(first)
  expect(library.held).toContain(first.contentHash)
  expect(library.held.length).toBe(100)
})
