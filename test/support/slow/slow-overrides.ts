import type { Signal } from '../../../src/signals/signal.ts'
import type { Account, Applied } from './slow-account.ts'
import type { SlowLimits } from './slow-limits.ts'
import { DAY_MS } from './slow-numbers.ts'

/**
 * People's decisions about an account, read from all its applied `override` signals in the order of
 * application.
 */

export interface SlowOverride {
  readonly signalId: string
  readonly occurredAt: number
  /** In ms. */
  readonly expiresAt: number
  readonly score: number | undefined
  readonly tier: string | undefined
  readonly hold: boolean
}

const LONGEST_DAYS = 400

/** The overrides at a time, by name. */
export function overridesAt(applied: readonly Applied[], clock: number): ReadonlyMap<string, SlowOverride> {
  const there = new Map<string, SlowOverride>()
  const forgetUntil = (time: number) => {
    for (const [name, { expiresAt }] of there) if (expiresAt <= time) there.delete(name)
  }
  for (const { signal, appliedAt, isOverrideKept } of applied) {
    if (!isOverrideKept) continue
    forgetUntil(appliedAt)
    const override = overrideOf(signal)
    const before = there.get(signal.name)
    if (override.expiresAt <= appliedAt) continue
    if (before !== undefined && override.occurredAt < before.occurredAt) continue
    there.set(signal.name, override)
  }
  forgetUntil(clock)
  return there
}

/** Whether an override that is about to be applied finds no room. An active model's own always does. */
export function isDroppedOverride(
  { applied, clock, standings }: Account,
  signal: Signal,
  limits: SlowLimits,
): boolean {
  const there = overridesAt(applied, clock)
  const isOfModel = signal.name === '*' || standings.some(({ modelId }) => modelId === signal.name)
  return (
    overrideOf(signal).expiresAt > clock &&
    !isOfModel &&
    !there.has(signal.name) &&
    there.size >= limits.overrides
  )
}

/**
 * The override that holds for a model. Choice: a model's own lift also replaces the override for all models,
 * `*`.
 */
export function holdingOverride(
  overrides: ReadonlyMap<string, SlowOverride>,
  modelId: string,
): SlowOverride | undefined {
  return overrides.get(modelId) ?? overrides.get('*')
}

/** The ends of all overrides that were kept at some time. */
export function endsOfOverrides(applied: readonly Applied[]): readonly number[] {
  return applied
    .filter(({ signal }) => signal.kind === 'override')
    .map(({ signal }) => overrideOf(signal).expiresAt)
}

/**
 * Choice: a lift without an end lasts as long as an override may, so that an earlier override does not come
 * back.
 */
function overrideOf({ id, occurredAt, properties }: Signal): SlowOverride {
  const { score, tier, hold, expiresAt } = properties
  return {
    signalId: id,
    occurredAt,
    expiresAt: typeof expiresAt === 'string' ? Date.parse(expiresAt) : occurredAt + LONGEST_DAYS * DAY_MS,
    score: typeof score === 'number' ? score : undefined,
    tier: typeof tier === 'string' ? tier : undefined,
    hold: hold === true,
  }
}
