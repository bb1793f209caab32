import { Type } from '@sinclair/typebox'
import { Problem } from '../plugins/problems.ts'
import { type AccountWithScores, readAccount } from './read-account.ts'
import type { RecordWaiter } from './record-waiter.ts'
import { parseSequence, SEQUENCE_PATTERN } from './sequence.ts'
import type { Served } from './served.ts'

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
 * @throws Problem NOT_FOUND, STORE_FILLING, and what `RecordWaiter.wait` throws
 */
export async function findAccount(
  { load, partitions }: ReturnType<Served>,
  waiter: RecordWaiter,
  accountId: string,
  after: string | undefined,
  isGone: () => boolean,
): Promise<AccountWithScores> {
  if (after !== undefined) await waiter.wait(partitions, accountId, parseSequence(after), isGone)
  const account = await readAccount(load, partitions, accountId)
  if (account !== undefined) return account
  throw new Problem('NOT_FOUND', `No signal of the account ${JSON.stringify(shorten(accountId))} was scored.`)
}

function shorten(id: string): string {
  return id.length > 100 ? `${id.slice(0, 100)}…` : id
}
