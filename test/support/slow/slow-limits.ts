import type { Selection } from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import { matchesAny } from './slow-features.ts'

/** What the models of an account write, searched in their whole definitions each time. */

/** The numbers from which on an account keeps only what its models write. */
export interface SlowLimits {
  readonly names: number
  readonly keys: number
  readonly matchedKeys: number
  readonly values: number
  readonly overrides: number
  readonly endedModels: number
  readonly formerTiers: number
}

export const SLOW_LIMITS: SlowLimits = {
  names: 256,
  keys: 256,
  matchedKeys: 512,
  values: 64,
  overrides: 32,
  endedModels: 64,
  formerTiers: 64,
}

/** Whether a model writes a name in full, to read it or to leave it out. */
export function isNameWritten(models: readonly ModelDefinition[], kind: string, name: string): boolean {
  return writtenNames(models, kind).some(written => written === name && !written.endsWith('*'))
}

/** The longest pattern of a model that matches a name, or `*`. */
export function overflowName(models: readonly ModelDefinition[], kind: string, name: string): string {
  const matching = writtenNames(models, kind).filter(
    written => written.endsWith('*') && matchesAny([written], name),
  )
  return matching.reduce((longest, each) => (each.length > longest.length ? each : longest), '*')
}

/** Choice: a rate reads names and keys as a feature does. The CSM's key is read too. */
function writtenNames(models: readonly ModelDefinition[], kind: string): string[] {
  return models
    .flatMap(({ features, rates }) => partsOf([features, rates]).flatMap(part => part['select'] ?? []))
    .filter((selection): selection is Selection => (selection as Selection).kinds.some(each => each === kind))
    .flatMap(({ names = [], except }) => [...names, ...except])
}

export function isKeyWritten(models: readonly ModelDefinition[], key: string): boolean {
  return writtenKeys(models).some(written => written === key && !written.endsWith('*'))
}

export function isKeyMatched(models: readonly ModelDefinition[], key: string): boolean {
  return writtenKeys(models).some(written => matchesAny([written], key))
}

/** Every part of a model that names a key does so under one of these words. */
function writtenKeys(models: readonly ModelDefinition[]): string[] {
  return models.flatMap(({ features, facets, rates, kpis }) =>
    partsOf([features, facets, rates, kpis]).flatMap(part =>
      ['key', 'per', 'pattern', 'csmKey'].flatMap(word => (part[word] as string | undefined) ?? []),
    ),
  )
}

/** All objects in a value, at any depth. */
function partsOf(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(partsOf)
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner]
}
