import { expect, test } from 'vitest'
import { UnreadFinder } from '../../../src/consumers/scorer/unread-finder.ts'
import { compileModel } from '../../../src/scoring/definition/compile-model.ts'
import type { FeatureDefinition } from '../../../src/scoring/definition/feature-definition.ts'
import { model } from '../../support/small-histories.ts'

const SEATS = { name: 'traits.seats', count: 1, accountId: 'acme' }

function reading(key: string) {
  const feature: FeatureDefinition = {
    name: 'value',
    type: 'latest',
    key,
    valueType: 'number',
    maxAgeDays: undefined,
    fallback: undefined,
  }
  return [compileModel(model({ features: [feature], groups: [] }))]
}

test('finds names by the models that are given, not by earlier ones', () => {
  const finder = new UnreadFinder()
  expect(finder.find([SEATS], reading('traits.seat')).names).toEqual([SEATS])
  expect(finder.find([SEATS], reading('traits.seats')).names).toEqual([])
  const { names, nearest } = finder.find([SEATS], reading('traits.seatz'))
  expect([names, nearest('traits.seats')]).toEqual([[SEATS], 'traits.seatz'])
})

test('finds nothing while no model is active', () => {
  expect(new UnreadFinder().find([SEATS], []).names).toEqual([])
})
