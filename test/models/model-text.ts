import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'

import { parseModel } from '../../src/models/parse-model.ts'
import { describeProblem, InvalidModelError } from '../../src/models/problems.ts'
import type { ModelDefinition } from '../../src/scoring/definition/model-definition.ts'

/** All model files of the repository. */
export const SHIPPED_MODELS: readonly string[] = ['models', 'bench'].flatMap(folder =>
  readdirSync(join(PACKAGE_ROOT, folder))
    .filter(name => name.endsWith('.yaml'))
    .sort()
    .map(name => `${folder}/${name}`),
)

/** The blocks of a small valid model. Each can be replaced, or left out with ''. */
export interface ModelParts {
  readonly head: string
  readonly score: string
  readonly features: string
  readonly groups: string
  readonly tiers: string
  readonly rest: string
}

const PARTS: ModelParts = {
  head: 'id: small\nversion: 1\nname: Small',
  score: 'score: { scale: 10, max: 100 }',
  features: `features:
  seats: { latest: contract.seats }
  users: { distinctUsers: { within: 30d } }
  plan: { latest: contract.plan, type: text }
  trial: { latest: contract.trial, type: flag }`,
  groups: `groups:
  usage:
    weight: 1
    max: 10
    rules:
      many-users: { when: users >= 3, points: 10 }`,
  tiers: 'tiers: [{ name: low, from: 0 }, { name: high, from: 50 }]',
  rest: '',
}

export function modelText(parts: Partial<ModelParts> = {}): string {
  const { head, score, features, groups, tiers, rest } = { ...PARTS, ...parts }
  return [head, score, features, groups, tiers, rest].join('\n')
}

/** A `groups` block with one group that has these rules. */
export function rules(...lines: string[]): Pick<ModelParts, 'groups'> {
  const indented = lines.map(line => `      ${line}`).join('\n')
  return { groups: `groups:\n  usage:\n    weight: 1\n    max: 10\n    rules:\n${indented}` }
}

/** A `features` block with these features. */
export function features(...lines: string[]): Pick<ModelParts, 'features'> {
  return { features: `features:\n${lines.map(line => `  ${line}`).join('\n')}` }
}

export function parse(parts: Partial<ModelParts> = {}): ModelDefinition {
  return parseModel(modelText(parts), 'small.yaml')
}

/** All problems of a text, as `file:line:column: message`. */
export function problemsOf(text: string): string[] {
  return errorOf(text).problems.map(describeProblem)
}

export function errorOf(text: string): InvalidModelError {
  try {
    parseModel(text, 'small.yaml')
  } catch (thrown) {
    if (thrown instanceof InvalidModelError) return thrown
    throw thrown
  }
  throw new Error('the model was accepted')
}

/**
 * Expects a text to be refused with exactly these messages, in order, each at a `§` in the text. The marks
 * are removed first. Two marks together are two problems at that position.
 */
export function expectRefused(marked: string | Partial<ModelParts>, ...messages: string[]): void {
  const text = typeof marked === 'string' ? marked : modelText(marked)
  const places = [...text.matchAll(/§/g)].map(match => {
    const before = text.slice(0, match.index).replaceAll('§', '')
    return `small.yaml:${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}: `
  })
  const expected = messages.map((message, index) => `${places[index] ?? 'no mark: '}${message}`)
  expect(problemsOf(text.replaceAll('§', ''))).toEqual(expected)
}

/** The kinds of features, as messages list them. */
export const FEATURE_KINDS =
  'count, sum, distinctNames, activeDays, distinctUsers, powerUsers, distinctValues, newValues, latest, ' +
  'knownKeys, daysSustained, periodsSustained, daysUntil, daysSince, daysSinceSignal, growth, ratio, ' +
  'largest, smallest, formula'

/** The keys of features, as messages list them. */
export const FEATURE_KEYS = FEATURE_KINDS.replace('latest,', 'latest, type, within, default,')
