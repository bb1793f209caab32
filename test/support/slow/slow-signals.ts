import { hash64 } from '../../../src/lib/hash.ts'
import { DIMENSIONS, type Dimension } from '../../../src/scoring/definition/feature-definition.ts'
import type { ModelDefinition } from '../../../src/scoring/definition/model-definition.ts'
import type { PropertyValue, Signal } from '../../../src/signals/signal.ts'
import { type Account, type Applied, type Moment, momentOf, pairOf } from './slow-account.ts'
import { seenValues } from './slow-features.ts'
import { ID_GROUPS, IDS_PER_GROUP } from './slow-id-limits.ts'
import { isKeyMatched, isKeyWritten, isNameWritten, overflowName, type SlowLimits } from './slow-limits.ts'
import { dayOf, hourOf } from './slow-numbers.ts'
import { isDroppedOverride } from './slow-overrides.ts'

/** The kept parts of a raw signal, and the check for duplicates. */

const DUPLICATE_HORIZON_MS = 172_800_000

export function isDuplicate(account: Account, id: string): boolean {
  return recentOfGroup(account, groupOf(id))
    .slice(-IDS_PER_GROUP)
    .some(({ signal }) => signal.id === id)
}

/** The signals of a group that were applied less than 48 hours ago. */
function recentOfGroup({ applied, clock }: Account, group: number): Applied[] {
  return applied.filter(
    ({ appliedAt, idGroup }) => clock - appliedAt < DUPLICATE_HORIZON_MS && idGroup === group,
  )
}

/** The bits that the high half of the id's hash ends with. */
export function groupOf(id: string): number {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setFloat64(0, hash64(id))
  return bytes.getUint32(0) % ID_GROUPS
}

/**
 * Choice: each part of a signal has its own cap. If a signal's name is not kept, its user, values and id
 * still are.
 */
export function applySignal(account: Account, signal: Signal, limits: SlowLimits): Applied {
  const moment = momentOf(account)
  const idGroup = groupOf(signal.id)
  if (recentOfGroup(account, idGroup).length >= IDS_PER_GROUP) account.dropped.ids += 1
  const { kind } = signal
  const isActivity = kind === 'usage' || kind === 'intent' || kind === 'outcome'
  const isOverride = kind === 'override'
  const isDropped = isOverride && isDroppedOverride(account, signal, limits)
  if (isDropped) account.dropped.overrides += 1
  const applied = {
    signal,
    day: dayOf(signal.occurredAt),
    hour: hourOf(signal.occurredAt),
    appliedAt: account.clock,
    idGroup,
    countedName: isActivity ? countedName(account, moment, signal, limits) : undefined,
    isOverrideKept: isOverride && !isDropped,
    valuesKept: keptValues(account, moment, signal, limits),
    factsKept: isActivity || isOverride ? new Map() : keptFacts(account, signal, limits),
  }
  if (isActivity && isSumFull(moment, applied)) account.dropped.sums += 1
  return applied
}

function activeModels({ standings }: Account): ModelDefinition[] {
  return standings.map(({ active }) => active.definition)
}

function countedName(account: Account, { held }: Moment, { kind, name }: Signal, limits: SlowLimits): string {
  const isCounted = (each: Applied) => each.countedName !== undefined
  const pairs = new Set(held.filter(isCounted).map(pairOf))
  const models = activeModels(account)
  if (pairs.has(`${kind} ${name}`) || pairs.size < limits.names || isNameWritten(models, kind, name))
    return name
  account.dropped.names += 1
  return overflowName(models, kind, name)
}

/** Whether the quantities of one name and day add up to the highest sum, with this signal. */
function isSumFull({ held }: Moment, applied: Applied): boolean {
  const sameBucket = held.filter(each => pairOf(each) === pairOf(applied) && each.day === applied.day)
  const sum = [...sameBucket, applied].reduce(
    (total, { signal }) => total + BigInt(signal.quantityThousandths),
    0n,
  )
  return sum >= BigInt(Number.MAX_SAFE_INTEGER)
}

function keptValues(
  account: Account,
  moment: Moment,
  signal: Signal,
  limits: SlowLimits,
): Map<Dimension, string> {
  const kept = new Map<Dimension, string>()
  if (signal.kind !== 'usage' && signal.kind !== 'intent') return kept
  for (const dimension of DIMENSIONS) {
    const value = signal.properties[dimension]
    if (typeof value !== 'string' || isEmptyText(value)) continue
    const held = seenValues(moment, dimension)
    if (held.has(value) || held.size < limits.values) kept.set(dimension, value)
    else account.dropped.values += 1
  }
  return kept
}

/** Choice: control characters and zero-width spaces are as empty as white space. */
function isEmptyText(value: PropertyValue | undefined): boolean {
  if (typeof value !== 'string') return false
  const INVISIBLE = /[\p{White_Space}\p{Control}\u200b\u2060\ufeff]/u
  return [...value].every(character => INVISIBLE.test(character))
}

/** Choice: a key whose value became null is still held, since its `occurredAt` still decides. */
function keptFacts(account: Account, signal: Signal, limits: SlowLimits): Map<string, PropertyValue> {
  const held = new Set(account.applied.flatMap(({ factsKept }) => [...factsKept.keys()]))
  const models = activeModels(account)
  const isKept = (key: string) =>
    held.has(key) ||
    held.size < limits.keys ||
    isKeyWritten(models, key) ||
    (held.size < limits.matchedKeys && isKeyMatched(models, key))
  const kept = new Map<string, PropertyValue>()
  for (const [property, value] of Object.entries(signal.properties)) {
    const key = `${signal.kind}.${property}`
    if (isKept(key)) {
      held.add(key)
      kept.set(key, isEmptyText(value) ? null : value)
    } else account.dropped.keys += 1
  }
  return kept
}
