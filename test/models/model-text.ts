import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { PACKAGE_ROOT } from '../../src/config.ts'
import { describeProblem, InvalidModelError } from '../../src/models/invalid-model-error.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import type { ModelDefinition } from '../../src/scoring/model-definition.ts'

/** Every model file of the repository, from its root. */
export const SHIPPED_MODELS: readonly string[] = ['models', 'bench'].flatMap(folder =>
  readdirSync(join(PACKAGE_ROOT, folder))
    .filter(name => name.endsWith('.yaml'))
    .sort()
    .map(name => `${folder}/${name}`),
)

/** The blocks of a small model that checks; each can be replaced, or left out with ''. */
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

/** The block `groups` with one group that holds these rules. */
export function rules(...lines: string[]): Pick<ModelParts, 'groups'> {
  const indented = lines.map(line => `      ${line}`).join('\n')
  return { groups: `groups:\n  usage:\n    weight: 1\n    max: 10\n    rules:\n${indented}` }
}

/** The block `features` with these. */
export function features(...lines: string[]): Pick<ModelParts, 'features'> {
  return { features: `features:\n${lines.map(line => `  ${line}`).join('\n')}` }
}

export function parse(parts: Partial<ModelParts> = {}): ModelDefinition {
  return parseModel(modelText(parts), 'small.yaml')
}

/** Everything wrong with a text, as `file:line:column: message`. */
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
 * Expects that a text is refused with exactly these messages, each at a `§` of the text, in order; the marks are taken out
 * first. Two marks in one place are two problems there.
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
