import { seatsAt } from './contract.ts'
import { levelAt } from './course.ts'
import type { SampleAccount } from './sample-account.ts'

/** How much of the plan is used, in percent, 0 to 100: of the limit that is nearest, as the vendor's billing tells it. */
export function planUse(account: SampleAccount, progress: number): number {
  const { users, diligence, apiUse, storageUse } = account
  const seats =
    (Math.floor(levelAt(users, progress)) * levelAt(diligence, progress)) / seatsAt(account, progress)
  const calls = apiUse === undefined ? 0 : levelAt(apiUse, progress)
  return percent(Math.max(seats, calls, levelAt(storageUse, progress)))
}

/** At a full plan there is no more to use. */
export function percent(share: number): number {
  return Math.round(Math.min(1, share) * 100)
}
