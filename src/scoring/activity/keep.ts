import { EVERY_MODEL } from '../../signals/override.ts'
import type { ModelReads } from '../definition/model-reads.ts'
import { type AccountActivity, LIMITS } from './activity.ts'

// What an account keeps when it has many names: docs/how-a-score-is-defined.md, "Limits". Only beyond a limit
// are the models asked, so that other signals cost nothing.

/** The account's standings. Only their models are read. */
export type ReadBy = readonly {
  readonly model: { readonly definition: { readonly id: string }; readonly reads: ModelReads }
}[]

/**
 * The series in which a signal without a series of its own counts: its own key, or beyond the limit the key
 * of an overflow series. That is the longest pattern of a model that matches, such as `usage:page.*`. Every
 * other pattern that matches the name is a beginning of the longest one, so the models read both alike.
 */
export function keptSeries(activity: AccountActivity, readBy: ReadBy, key: string): string {
  if (activity.series.size < LIMITS.series || readBy.some(({ model }) => model.reads.series.has(key)))
    return key
  let length = key.indexOf(':') + 1
  for (const { model } of readBy) {
    for (const prefix of model.reads.seriesPrefixes)
      if (prefix.length > length && key.startsWith(prefix)) length = prefix.length
  }
  return `${key.slice(0, length)}*`
}

/** Whether the account takes a latest-wins key that it does not have. */
export function keepsKey({ latest }: AccountActivity, readBy: ReadBy, key: string): boolean {
  if (latest.size < LIMITS.keys || readBy.some(({ model }) => model.reads.keys.has(key))) return true
  return (
    latest.size < LIMITS.matchedKeys &&
    readBy.some(({ model }) => model.reads.keyPrefixes.some(prefix => key.startsWith(prefix)))
  )
}

/** Whether the account takes an override of a name that has none. */
export function keepsOverride({ overrides }: AccountActivity, readBy: ReadBy, name: string): boolean {
  if (overrides.size < LIMITS.overrides || name === EVERY_MODEL) return true
  return readBy.some(({ model }) => model.definition.id === name)
}
