import { expect, test } from 'vitest'
import { modelChanges } from '../../src/analysis/model-changes.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import { modelText, parse } from '../models/model-text.ts'

test('a model with another version and other comments has no changes', () => {
  const text = modelText().replace('version: 1', 'version: 2')
  expect(modelChanges(parse(), parseModel(`# new\n${text}`, 'second.yaml'))).toEqual([])
})

test('names new, gone and changed parts, with the values', () => {
  const text = modelText()
    .replace('weight: 1', 'weight: 0.5')
    .replace(
      'many-users: { when: users >= 3, points: 10 }',
      'users: { of: users, bands: [{ from: 3, points: 4 }] }',
    )
    .replace('from: 50', 'from: 60')
    .replace('within: 30d', 'within: 60d')
    .replace('  trial: { latest: contract.trial, type: flag }', '')
  const changes = modelChanges(parse(), parseModel(text, 'second.yaml'))
  expect(changes.map(({ part, name, status }) => `${status} ${part} ${name}`)).toEqual([
    'changed feature users',
    'changed group usage',
    'new rule usage/users',
    'changed tier high',
    'gone feature trial',
    'gone rule usage/many-users',
  ])
  expect(changes.flatMap(({ details }) => details)).toEqual([
    { field: 'windowDays', before: 30, after: 60 },
    { field: 'weight', before: 1, after: 0.5 },
    { field: 'from', before: 50, after: 60 },
  ])
})

test('shows a condition as its text', () => {
  const after = parseModel(modelText().replace('users >= 3', 'users >= 4'), 'second.yaml')
  expect(modelChanges(parse(), after)).toEqual([
    {
      part: 'rule',
      name: 'usage/many-users',
      status: 'changed',
      details: [{ field: 'cases.0.when', before: 'users >= 3', after: 'users >= 4' }],
    },
  ])
})
