import { type Static, Type } from '@sinclair/typebox'
import { ReadNames } from '../../analysis/unread-names.ts'
import { type AccountActivity, LIMIT_NAMES } from '../../scoring/activity/activity.ts'
import { LIMIT_MEANINGS } from '../../scoring/activity/limit-meanings.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { Standing } from '../../scoring/standing.ts'
import { choice } from './schema-parts.ts'

/** The limits that an account reached, and its names that no model reads. */

export const LimitsField = Type.Optional(
  Type.Array(
    Type.Object({
      limit: choice(LIMIT_NAMES),
      count: Type.Integer({ description: 'How often the account reached it, since its first signal' }),
      meaning: Type.String({ description: 'What is counted, for people' }),
    }),
    { description: 'The limits that the account reached, as in docs/limits.md; absent: none' },
  ),
)
type LimitDocuments = Static<typeof LimitsField>

/** A longer list would need pages. */
const MOST_NAMES = 50

export const UnreadField = Type.Optional(
  Type.Object(
    {
      names: Type.Array(
        Type.Object({
          name: Type.String({ examples: ['usage:page.veiwed', 'traits.paln', 'override:growht'] }),
          nearest: Type.Optional(
            Type.String({ description: 'A name that a model reads, if one is nearly the same' }),
          ),
        }),
        { description: `Up to ${MOST_NAMES}: kind:name of signals and overrides, kind.property of values` },
      ),
      more: Type.Integer({ description: 'How many further names there are' }),
    },
    {
      description:
        "Names of the account's signals, values and overrides that no active model reads: perhaps misspelt; absent: none",
    },
  ),
)
type UnreadDocument = Static<typeof UnreadField>

export function limitDocuments({ dropped }: AccountActivity): LimitDocuments | undefined {
  const reached = LIMIT_NAMES.filter(limit => dropped[limit] > 0)
  if (reached.length === 0) return undefined
  return reached.map(limit => ({ limit, count: dropped[limit], meaning: LIMIT_MEANINGS[limit] }))
}

/** Finds an account's unread names. It remembers its answers while the models stay the same. */
export class UnreadView {
  #models = ''
  #read = new ReadNames([])

  document(activity: AccountActivity, standings: readonly Standing[]): UnreadDocument | undefined {
    if (standings.length === 0) return undefined
    const read = this.#readBy(standings.map(({ model }) => model))
    const unread = namesOf(activity).filter(name => !read.isRead(name))
    if (unread.length === 0) return undefined
    const names = unread.slice(0, MOST_NAMES).map(name => {
      const nearest = read.nearest(name)
      return nearest === undefined ? { name } : { name, nearest }
    })
    return { names, more: unread.length - names.length }
  }

  #readBy(models: readonly CompiledModel[]): ReadNames {
    const hashes = models.map(({ contentHash }) => contentHash).join()
    if (hashes !== this.#models) {
      this.#models = hashes
      this.#read = new ReadNames(models)
    }
    return this.#read
  }
}

function namesOf({ series, latest, overrides }: AccountActivity): string[] {
  return [
    // A name that ends in * is an overflow series, and no signal's own name.
    ...series.list.map(({ key }) => key).filter(key => !key.endsWith('*')),
    ...[...latest.keys()].sort(),
    ...[...overrides.keys()].sort().map(name => `override:${name}`),
  ]
}
