import type { ContractChange, SampleAccount } from './sample-account.ts'

/** The length of the storylines: what is said in days ago and what is said as progress meet there. */
export const STORY_DAYS = 90

export function seatsAt({ contract, change }: SampleAccount, progress: number): number {
  return change !== undefined && isBefore(change, progress) ? change.seatsBefore : contract.seats
}

/** Monthly recurring revenue. */
export function mrrAt({ contract, change }: SampleAccount, progress: number): number {
  if (change === undefined) return contract.seats * contract.seatPrice
  return isBefore(change, progress) ? change.mrrBefore : change.mrr
}

function isBefore({ daysAgo }: ContractChange, progress: number): boolean {
  return progress < 1 - daysAgo / STORY_DAYS
}
