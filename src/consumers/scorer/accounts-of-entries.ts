import type { Account } from '../../scoring/account.ts'
import type { LogEntry } from '../../scoring/log-entry.ts'
import { signalRuns } from '../../signals/signal-table.ts'
import type { LoadedAccounts } from './account-loader.ts'

/** The loaded accounts that the entries are about. */
export function accountsOf(
  entries: readonly LogEntry[],
  { accounts }: Pick<LoadedAccounts, 'accounts'>,
): Account[] {
  if (entries.some(({ type }) => type === 'tick')) return [...accounts.values()]
  const found = new Set<Account>()
  for (const { signals, from, to } of signalRuns(entries)) {
    for (let i = from; i < to; i++) {
      const account = accounts.get(signals.accountId(i))
      if (account !== undefined) found.add(account)
    }
  }
  return [...found]
}
