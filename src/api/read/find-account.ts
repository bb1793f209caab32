import { Type } from '@sinclair/typebox'
import { partitionOf } from '../../log/partition-of.ts'
import { Problem } from '../plugins/problems.ts'
import type { Partitions } from './partitions.ts'
import { readAccount, type StoredAccount } from './read-account.ts'
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
      'partition:offset, as ce_sequence of an event and the answer of POST /v1/signals have it: the answer waits until that record is in it',
  }),
)

/**
 * The account, once the store holds the record `after`.
 * @throws Problem NOT_FOUND, WRONG_PARTITION, NOT_CAUGHT_UP
 */
export async function findAccount(
  load: LoadAccounts,
  partitions: Partitions,
  accountId: string,
  after: string | undefined,
  isGone: () => boolean,
): Promise<StoredAccount> {
  if (after !== undefined) await waitForRecord(partitions, accountId, parseSequence(after), isGone)
  const account = await readAccount(load, partitions, accountId)
  if (account !== undefined) return account
  throw new Problem('NOT_FOUND', `No signal of the account ${JSON.stringify(shorten(accountId))} was scored.`)
}

/**
 * Returns when the store holds the record, so that what is read next was written after it.
 * @param isGone whether nobody waits for the answer any more.
 * @throws Problem WRONG_PARTITION if no record of the account can stand there; NOT_CAUGHT_UP after 5 s, or at once while the store is empty.
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
      `after is ${formatSequence(sequence)}, but the records of this account stand in partition ${own}: the sequence of one of those is accepted.`,
    )
  }
  const deadline = performance.now() + MAX_WAIT_MS
  let storedOffset = await partitions.storedOffset(own)
  while (storedOffset <= sequence.offset) {
    if (isGone() || performance.now() >= deadline) {
      throw new Problem(
        'NOT_CAUGHT_UP',
        `The record ${formatSequence(sequence)} was not in the store after ${MAX_WAIT_MS / 1000} s; it holds those before ${own}:${storedOffset}. Ask again.`,
      )
    }
    storedOffset = await partitions.nextStoredOffset(own)
  }
}

function shorten(id: string): string {
  return id.length > 100 ? `${id.slice(0, 100)}…` : id
}
