import { counted, grouped } from '../console/format.ts'
import { plainText } from '../console/terminal-text.ts'
import type { AccountParity, Difference } from '../consumers/parity/account-parity.ts'
import { adviceFor, describeDifferent } from '../consumers/parity/describe-parity.ts'
import type { CheckPlan } from '../consumers/parity/plan-check.ts'

export interface CheckedPartition {
  readonly plan: CheckPlan
  readonly accounts: readonly AccountParity[]
}

export type OutcomeCounts = Readonly<Record<AccountParity['outcome'], number>>

export function countOutcomes(accounts: readonly AccountParity[]): OutcomeCounts {
  const counts = { equal: 0, different: 0, unknown: 0 }
  for (const { outcome } of accounts) counts[outcome]++
  return counts
}

/** For people: the result, then each account that differs, and why others could not be compared. */
export function parityText(checked: readonly CheckedPartition[]): string {
  const accounts = checked.flatMap(each => each.accounts)
  const { equal, different, unknown } = countOutcomes(accounts)
  const records = checked.reduce((sum, { plan }) => sum + plan.to - plan.from, 0)
  const result =
    equal === accounts.length
      ? 'all are equal, bit for bit'
      : `${grouped(equal)} equal, ${grouped(different)} different, ${grouped(unknown)} unknown`
  const lines = [
    `${counted(accounts.length, 'account')}, recomputed from ${counted(records, 'record')} of ${counted(checked.length, 'partition')}: ${result}.`,
    ...checked.flatMap(differentLines),
    ...checked.flatMap(unknownLines),
  ]
  if (different > 0) {
    const partitions = checked.filter(each => countOutcomes(each.accounts).different > 0)
    lines.push(adviceFor(partitions.map(({ plan }) => plan.partition)))
  }
  return `${lines.join('\n')}\n`
}

function differentLines({ plan, accounts }: CheckedPartition): string[] {
  return accounts.flatMap(account =>
    account.outcome === 'different'
      ? [
          `different: ${plainText(account.accountId)} in partition ${plan.partition}: ${describeDifferent(account, plan.from)}`,
        ]
      : [],
  )
}

/** One line for each reason. */
function unknownLines({ plan, accounts }: CheckedPartition): string[] {
  const byReason = new Map<string, string[]>()
  for (const account of accounts) {
    if (account.outcome !== 'unknown') continue
    byReason.set(account.reason, [...(byReason.get(account.reason) ?? []), account.accountId])
  }
  return [...byReason].map(([reason, ids]) => {
    const who = ids.length === 1 ? plainText(ids[0]!) : `${grouped(ids.length)} accounts`
    return `unknown: ${who} in partition ${plan.partition}: ${plainText(reason)}`
  })
}

/** For scripts, and as evidence: the bytes of both sides of each difference, in base64. */
export function parityJson(checked: readonly CheckedPartition[]): string {
  const document = {
    accounts: countOutcomes(checked.flatMap(({ accounts }) => accounts)),
    partitions: checked.map(({ plan: { partition, checkpoint, from, to }, accounts }) => ({
      partition,
      startedFrom: checkpoint === undefined ? 'beginning' : 'checkpoint',
      from,
      to,
      accounts: countOutcomes(accounts),
    })),
    different: checked.flatMap(({ plan, accounts }) =>
      accounts.flatMap(account => differentJson(plan, account)),
    ),
    unknown: checked.flatMap(({ plan: { partition }, accounts }) =>
      accounts.flatMap(account =>
        account.outcome === 'unknown'
          ? [{ accountId: account.accountId, partition, reason: account.reason }]
          : [],
      ),
    ),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function differentJson({ partition, from }: CheckPlan, account: AccountParity): object[] {
  if (account.outcome !== 'different') return []
  const { accountId, storedOffset, storedLastOffset, recomputedLastOffset, differences } = account
  return [
    {
      accountId,
      partition,
      from,
      watermark: storedOffset,
      storedLastOffset: storedLastOffset ?? null,
      recomputedLastOffset: recomputedLastOffset ?? null,
      parts: differences.map(partJson),
    },
  ]
}

function partJson({ part, stored, recomputed }: Difference): object {
  return {
    part: part === 'core' ? 'core' : `users ${part.chunk}`,
    storedBytes: stored?.length ?? null,
    recomputedBytes: recomputed?.length ?? null,
    stored: base64(stored),
    recomputed: base64(recomputed),
  }
}

function base64(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : Buffer.from(bytes).toString('base64')
}
