import type { ModelDefinition } from '../scoring/definition/model-definition.ts'

export type ModelPart =
  | 'score'
  | 'feature'
  | 'group'
  | 'rule'
  | 'tier'
  | 'tier-policy'
  | 'gate'
  | 'trigger'
  | 'alert'
  | 'scope'
  | 'facet'
  | 'rate'
  | 'kpis'

/** A part that differs between two versions of a model. */
export interface ModelChange {
  readonly part: ModelPart
  /** A rule is named `group/rule`. Undefined: a model has only one such part. */
  readonly name: string | undefined
  readonly status: 'new' | 'gone' | 'changed'
  /** The changed values within the part; empty if the part is new or gone. */
  readonly details: readonly FieldChange[]
}

/** A changed value in a part. Null: the value is missing. A condition appears as its text. */
export interface FieldChange {
  /** Such as `from` or `bands.1.points`. */
  readonly field: string
  readonly before: FieldValue
  readonly after: FieldValue
}

export type FieldValue = string | number | boolean | null

interface Part {
  readonly part: ModelPart
  readonly name: string | undefined
  readonly content: unknown
}

/**
 * Lists the parts that differ between two versions of a model, in the order of the new version. Parts that
 * are gone come last. A changed title or text counts as a change.
 */
export function modelChanges(before: ModelDefinition, after: ModelDefinition): ModelChange[] {
  const old = new Map(partsOf(before).map(part => [keyOf(part), part]))
  const now = new Map(partsOf(after).map(part => [keyOf(part), part]))
  const changes: ModelChange[] = []
  for (const [key, { part, name, content }] of now) {
    const was = old.get(key)
    if (was === undefined) changes.push({ part, name, status: 'new', details: [] })
    else {
      const details = fieldChanges(was.content, content)
      if (details.length > 0) changes.push({ part, name, status: 'changed', details })
    }
  }
  for (const [key, { part, name }] of old)
    if (!now.has(key)) changes.push({ part, name, status: 'gone', details: [] })
  return changes
}

function keyOf({ part, name }: Part): string {
  return `${part} ${name ?? ''}`
}

function partsOf(model: ModelDefinition): Part[] {
  const named = (part: ModelPart, entries: readonly { readonly name: string }[]): Part[] =>
    entries.map(content => ({ part, name: content.name, content }))
  const single = (part: ModelPart, content: unknown): Part => ({ part, name: undefined, content })
  return [
    single('score', model.score),
    single('scope', model.scope),
    ...named('feature', model.features),
    ...model.groups.flatMap(({ rules, ...group }) => [
      ...named('group', [group]),
      ...rules.map(rule => ({ part: 'rule' as const, name: `${group.name}/${rule.name}`, content: rule })),
    ]),
    ...named('tier', model.tiers),
    single('tier-policy', model.tierPolicy),
    ...named('gate', model.gates),
    ...named('trigger', model.triggers),
    ...named('alert', model.alerts),
    ...named('facet', model.facets),
    ...named('rate', model.rates),
    single('kpis', model.kpis ?? null),
  ]
}

function fieldChanges(before: unknown, after: unknown): FieldChange[] {
  const old = new Map(fieldsOf(before, ''))
  const now = new Map(fieldsOf(after, ''))
  return [...new Set([...old.keys(), ...now.keys()])]
    .map(field => ({ field, before: old.get(field) ?? null, after: now.get(field) ?? null }))
    .filter(change => change.before !== change.after)
}

/** All values in plain data, with their paths. */
function fieldsOf(content: unknown, path: string): [field: string, value: FieldValue][] {
  if (content === undefined || content === null) return []
  if (typeof content !== 'object') return [[path, content as FieldValue]]
  // A condition has a text and a tree. They say the same, so the text is enough.
  if ('expression' in content && 'text' in content) return [[path, content.text as string]]
  const entries = Object.entries(content)
  // An empty list differs from no list. For example, `gates: []` means no gates, but without the key all
  // gates hold.
  if (entries.length === 0) return [[path, '']]
  return entries.flatMap(([key, value]) => fieldsOf(value, path === '' ? key : `${path}.${key}`))
}
