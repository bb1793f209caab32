import { nearestName } from '../lib/nearest-name.ts'
import { remembered } from '../lib/remembered.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import type { FeatureDefinition, Selection } from '../scoring/definition/feature-definition.ts'
import { keysOf, selectionsOf } from '../scoring/definition/model-reads.ts'
import type { MeasureDefinition } from '../scoring/definition/population-definition.ts'
import { compileNames, compileSelection } from '../scoring/features/selection.ts'
import { EVERY_MODEL } from '../signals/override.ts'
import { isActivityKind, type Signal } from '../signals/signal.ts'

// A signal brings names:
//   usage, intent, outcome     `kind:name`, such as `usage:feature.search`
//   traits, health, contract   `kind.property` for each property, such as `traits.plan`
//   override                   `override:` and the model's id, or `override:*`
// A model reads a name if a feature, a rate or its segments, a facet, or a key figure does. A usage or intent
// signal whose name no model reads may still count by its user, team, location, product or role.

/** Knows which names the models of one set read. It remembers its answers. */
export class ReadNames {
  readonly #tests: readonly ((name: string) => boolean)[]
  /** Names that the models write in full, and patterns that end in `*`. */
  readonly #written: readonly string[]
  readonly #isRead: (name: string) => boolean
  readonly #nearest: (name: string) => string

  constructor(models: readonly CompiledModel[]) {
    this.#tests = models.flatMap(testsOf)
    this.#written = [...new Set(models.flatMap(writtenNames))].sort()
    this.#isRead = remembered(name => this.#tests.some(test => test(name)))
    this.#nearest = remembered(name => findNearest(name, this.#written, this.#isRead) ?? '')
  }

  /** Whether some model reads the name. */
  isRead(name: string): boolean {
    return this.#isRead(name)
  }

  /** The names that a signal brings and that no model reads; empty for nearly every signal. */
  unreadOf(signal: Signal): readonly string[] {
    const { kind, name, properties } = signal
    if (isActivityKind(kind)) {
      const key = signal.seriesKey ?? `${kind}:${name}`
      return this.isRead(key) ? NONE : [key]
    }
    if (kind === 'override') return this.isRead(`override:${name}`) ? NONE : [`override:${name}`]
    return Object.keys(properties)
      .map(property => `${kind}.${property}`)
      .filter(key => !this.isRead(key))
  }

  /** The name that some model reads and that a misspelt name most likely means; undefined if none is near. */
  nearest(name: string): string | undefined {
    const nearest = this.#nearest(name)
    return nearest === '' ? undefined : nearest
  }
}

const NONE: readonly never[] = []

export interface UnreadName {
  readonly name: string
  /** How many signals brought it. */
  readonly signals: number
  /** A name that some model reads, if one is near. */
  readonly nearest: string | undefined
}

/** Names come from outside, so only so many are counted one by one. */
const MOST_NAMES = 10_000

/** Counts the names of many signals that no model reads. */
export class UnreadNames {
  readonly #read: ReadNames
  readonly #counts = new Map<string, number>()
  #furtherSignals = 0

  constructor(read: ReadNames) {
    this.#read = read
  }

  add(signal: Signal): void {
    for (const name of this.#read.unreadOf(signal)) {
      const count = this.#counts.get(name)
      if (count === undefined && this.#counts.size >= MOST_NAMES) this.#furtherSignals++
      else this.#counts.set(name, (count ?? 0) + 1)
    }
  }

  /** How many different names there are, up to 10,000. */
  get size(): number {
    return this.#counts.size
  }

  /** How many signals brought further names, which are not counted one by one. */
  get furtherSignals(): number {
    return this.#furtherSignals
  }

  /** The `most` names that came most often, the most frequent first. */
  list(most: number): UnreadName[] {
    return [...this.#counts]
      .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
      .slice(0, most)
      .map(([name, signals]) => ({ name, signals, nearest: this.#read.nearest(name) }))
  }
}

const FACT = /^(traits|health|contract)\./

function testsOf(model: CompiledModel): ((name: string) => boolean)[] {
  const { id, facets, rates, kpis } = model.definition
  const tests: ((name: string) => boolean)[] = []
  for (const { root } of model.features) {
    if (root === undefined) continue
    const { series, key } = root.reads
    if (series !== undefined) tests.push(series)
    if (key !== undefined) tests.push(name => FACT.test(name) && key(name))
  }
  for (const { select } of rates) tests.push(compileSelection(select))
  const keys = [
    ...facets.map(({ key }) => key),
    ...rates.flatMap(({ segments }) => segments.map(({ key }) => key)),
    ...(kpis?.csmKey === undefined ? [] : [kpis.csmKey]),
  ]
  const outcomes = compileNames((kpis?.measures ?? []).flatMap(outcomesOf))
  const exact = new Set([...keys, `override:${id}`, `override:${EVERY_MODEL}`])
  tests.push(name => exact.has(name) || (name.startsWith('outcome:') && outcomes(name)))
  return tests
}

function outcomesOf(measure: MeasureDefinition): string[] {
  return measure.type === 'count' || measure.type === 'sum'
    ? measure.names.map(name => `outcome:${name}`)
    : []
}

/** The names that a model writes, in full or as patterns. */
export function writtenNames({ definition: { id, features, facets, rates, kpis } }: CompiledModel): string[] {
  return [
    ...features.flatMap(namesOfFeature),
    ...facets.map(({ key }) => key),
    ...rates.flatMap(({ select, segments }) => [
      ...namesOfSelection(select),
      ...segments.map(({ key }) => key),
    ]),
    ...(kpis?.csmKey === undefined ? [] : [kpis.csmKey]),
    ...(kpis?.measures ?? []).flatMap(outcomesOf),
    `override:${id}`,
  ]
}

function namesOfFeature(feature: FeatureDefinition): string[] {
  return [...selectionsOf(feature).flatMap(namesOfSelection), ...keysOf(feature)]
}

function namesOfSelection({ kinds, names = [] }: Selection): string[] {
  return kinds.flatMap(kind => names.map(name => `${kind}:${name}`))
}

/** The same text under another kind comes first, then the nearest of the same kind, then of any kind. */
function findNearest(
  name: string,
  written: readonly string[],
  isRead: (name: string) => boolean,
): string | undefined {
  const kind = kindOf(name)
  const text = textOf(name)
  // A pattern may have exceptions.
  const candidates = written.flatMap(candidate => completed(candidate, name)).filter(isRead)
  const sameText = candidates.find(candidate => textOf(candidate) === text)
  if (sameText !== undefined) return sameText
  const others = [...new Set(candidates.map(kindOf))].filter(other => other !== kind)
  for (const each of [kind, ...others]) {
    const ofKind = candidates.filter(candidate => kindOf(candidate) === each)
    const nearest = nearestName(text, ofKind.map(textOf))
    if (nearest !== undefined) return ofKind.find(candidate => textOf(candidate) === nearest)
  }
  return undefined
}

/**
 * A pattern such as `usage:feature.*` is completed by what follows the same number of parts in `name`:
 * `usage:featrue.search` gives `usage:feature.search`. It stays out if those parts are not near.
 */
function completed(candidate: string, name: string): string[] {
  if (!candidate.endsWith('*')) return [candidate]
  const prefix = candidate.slice(0, -1)
  const parts = textOf(prefix).split('.').length - 1
  const ofName = textOf(name).split('.')
  if (parts === 0 || !prefix.endsWith('.') || ofName.length <= parts) return []
  const begin = ofName.slice(0, parts).join('.')
  const wanted = textOf(prefix).slice(0, -1)
  if (nearestName(begin, [wanted]) === undefined) return []
  return [prefix + ofName.slice(parts).join('.')]
}

const KIND = /^[a-z]+[:.]/

/** `usage:feature.search` → `usage:`; `traits.plan` → `traits.` */
function kindOf(name: string): string {
  return KIND.exec(name)?.[0] ?? ''
}

function textOf(name: string): string {
  return name.slice(kindOf(name).length)
}
