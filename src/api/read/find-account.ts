import { Type } from '@sinclair/typebox'
import { partitionOf } from '../../log/partition-of.ts'
import { Problem } from '../plugins/problems.ts'
import type { Partitions } from './partitions.ts'
import { type AccountWithScores, readAccount } from './read-account.ts'
import { formatSequence, parseSequence, SEQUENCE_PATTERN, type Sequence } from './sequence.ts'
import type { LoadAccounts } from './shared-loads.ts'

const MAX_WAIT_MS = 5000

export const AccountParams = Type.Object({
  id: Type.String({ description: 'The accountId, percent-encoded; a slash in it is %2F' }),
})

export const After = Type.Optional(
  Type.String({
    pattern: SEQUENCE_PATTERN,
    description:
      'partition:offset of a record, as in ce_sequence of an event and in the answer of POST /v1/signals: waits up to 5 s until the record is scored; left out: does not wait',
  }),
)

/**
 * Reads the account, after the store holds the record `after`.
 * @param isGone whether the client has closed the connection
 * @throws Problem NOT_FOUND, WRONG_PARTITION, NOT_CAUGHT_UP
 */
export async function findAccount(
  load: LoadAccounts,
  partitions: Partitions,
  accountId: string,
  after: string | undefined,
  isGone: () => boolean,
): Promise<AccountWithScores> {
  if (after !== undefined) await waitForRecord(partitions, accountId, parseSequence(after), isGone)
  const account = await readAccount(load, partitions, accountId)
  if (account !== undefined) return account
  throw new Problem('NOT_FOUND', `No signal of the account ${JSON.stringify(shorten(accountId))} was scored.`)
}

/**
 * Returns once the store holds the record: what is read next includes it.
 * @throws Problem WRONG_PARTITION if the account's records are in another partition; NOT_CAUGHT_UP after 5 s,
 * or at once if the store is empty
 */
async function waitForRecord(
  partitions: Partitions,
  accountId: string,
  sequence: Sequence,
  isGone: () => boolean,
): Promise<void> {
  const count = await partitions.count()
  if (count === undefined) throw new Problem('NOT_CAUGHT_UP', 'Nothing has been scored yet. Ask again.')
  const own = partitionOf(accountId, count)
  if (sequence.partition !== own) {
    throw new Problem(
      'WRONG_PARTITION',
      `after is ${formatSequence(sequence)}, but this account's records are in partition ${own}; the sequence of one of them is accepted.`,
    )
  }
  const deadline = performance.now() + MAX_WAIT_MS
  let storedOffset = await partitions.storedOffset(own)
  while (storedOffset <= sequence.offset) {
    if (isGone() || performance.now() >= deadline) {
      throw new Problem(
        'NOT_CAUGHT_UP',
        `The record ${formatSequence(sequence)} was not in the store after ${MAX_WAIT_MS / 1000} s; the store holds the records before ${own}:${storedOffset}. Ask again.`,
      )
    }
    storedOffset = await partitions.nextStoredOffset(own)
  }
}

function shorten(id: string): string {
  return id.length > 100 ? `${id.slice(0, 100)}…` : id
}
