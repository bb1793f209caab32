import { HELD_DAYS } from '../../signals/time.ts'
import { LIMITS, type LimitName } from './activity.ts'
import { ID_LIMITS } from './id-limits.ts'

/** What the count of each limit counts, for people. docs/limits.md has the reasons. */
export const LIMIT_MEANINGS: Readonly<Record<LimitName, string>> = {
  'too-old': `signals that occurred ${HELD_DAYS} days ago or more: dropped`,
  names: `signals of further names, when the account already had ${LIMITS.series}: counted together under a pattern of a model, or *`,
  keys: `properties of further keys, when the account already had ${LIMITS.keys}: dropped`,
  values: `further values of team, location, product or role, when the account already had ${LIMITS.valuesPerDimension}: not counted as distinct values`,
  overrides: `overrides of further names, when the account already had ${LIMITS.overrides}: dropped`,
  'ended-models': `ends of further versions of models, when the account already had left ${LIMITS.endedModels}: counted together`,
  'former-tiers': `further removed models, when the account already remembered the last tier of ${LIMITS.formerTiers}: such a model begins in its lowest tier if it comes back`,
  ids: `ids that were forgotten within 48 hours, when the account had more than ${ID_LIMITS.promised} signals in that time: such a signal counts again if it is sent again`,
  sums: `signals after which the sum of their name and day was at ${Number.MAX_SAFE_INTEGER / 1000}: what is more is cut off`,
}
