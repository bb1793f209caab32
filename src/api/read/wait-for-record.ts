import { partitionOf } from '../../log/partition-of.ts'
import { Problem } from '../plugins/problems.ts'
import type { Partitions } from './partitions.ts'
import { formatSequence, type Sequence } from './sequence.ts'

const MAX_WAIT_MS = 5000

/**
 * Returns when the store holds the record, so that what is read next was written after it.
 * @param isGone whether nobody waits for the answer any more.
 * @throws Problem WRONG_PARTITION if no record of the account can stand there; NOT_CAUGHT_UP after 5 s, or at once while the store is empty.
 */
export async function waitForRecord(
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
