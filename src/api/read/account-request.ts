import { Type } from '@sinclair/typebox'
import { Problem } from '../plugins/problems.ts'
import type { Partitions } from './partitions.ts'
import { readAccount, type StoredAccount } from './read-account.ts'
import { parseSequence, SEQUENCE_PATTERN } from './sequence.ts'
import type { LoadAccounts } from './shared-loads.ts'
import { waitForRecord } from './wait-for-record.ts'

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

function shorten(id: string): string {
  return id.length > 100 ? `${id.slice(0, 100)}…` : id
}
