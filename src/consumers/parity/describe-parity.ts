import { isIdChunk } from '../../scoring/activity/many-ids.ts'
import type { Difference, DifferentAccount } from './account-parity.ts'

/** One line that says what differs. `from`: the offset from which the account was recomputed. */
export function describeDifferent(account: DifferentAccount, from: number): string {
  const parts = account.differences.slice(0, MOST_PARTS).map(describeDifference)
  const more = account.differences.length - parts.length
  if (more > 0) parts.push(`and ${more} more chunks`)
  return `${parts.join('; ')}; ${describeLastRecords(account)}; compared at offset ${account.storedOffset}, recomputed from offset ${from}`
}

/** An account may have thousands of chunks. */
const MOST_PARTS = 5

function describeDifference({ part, stored, recomputed }: Difference): string {
  const name = part === 'core' ? part : `${isIdChunk(part.chunk) ? 'ids' : 'users'} ${part.chunk}`
  const found = stored === undefined ? 'none' : `${stored.length} bytes`
  return `${name}: ${found}, recomputed ${recomputed === undefined ? 'none' : `${recomputed.length} bytes`}`
}

/** The last record of the account in the store, and in the log. */
function describeLastRecords({ storedLastOffset, recomputedLastOffset }: DifferentAccount): string {
  return storedLastOffset === recomputedLastOffset
    ? `its last record is ${storedLastOffset ?? 'unknown'} in both`
    : `its last record is ${storedLastOffset ?? 'unknown'} in the store, ${recomputedLastOffset ?? 'none'} in the log`
}

/** What to do about accounts that differ. */
export function adviceFor(partitions: readonly number[]): string {
  return (
    'Keep the evidence first: what "upswell parity --json" writes, and a copy of the store. Then stop the scorers and rebuild the store from the whole log, ' +
    `since a checkpoint may hold the same error: "upswell rebuild --from-log --partition ${partitions.join(' ')}".`
  )
}
