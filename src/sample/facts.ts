import { levelAt } from './course.ts'
import { type Draft, draft } from './draft.ts'
import { dateOf, profileTraits } from './profile-facts.ts'
import { type ContractChange, moodAt, type SampleAccount, type Sentiment } from './sample-account.ts'

/** The first facts about an account. `untilDay`: the UTC day on which the history ends. */
export function firstFacts(account: SampleAccount, at: number, untilDay: number): Draft[] {
  const { contract } = account
  return [
    draft(account, 'traits', 'traits', at, {
      properties: {
        name: account.name,
        industry: account.industry,
        plan: contract.plan,
        employees: employeesAt(account, 0),
        annualRevenue: account.annualRevenue,
        storageUsedGb: storageAt(account, 0),
        usagePercentage: planUse(account, 0),
        ...profileTraits(account, untilDay),
      },
    }),
    draft(account, 'contract', 'contract', at, {
      properties: {
        seats: seatsAt(account, 0),
        mrr: mrrAt(account, 0),
        apiCallLimit: contract.apiCallLimit,
        storageLimitGb: contract.storageLimitGb,
        includedFeatures: contract.includedFeatures,
        availableFeatures: contract.includedFeatures,
        type: contract.type,
        discountPercent: contract.discountPercent,
        fiscalYearStart: contract.fiscalYearStart,
        // A monthly contract has no renewal date.
        ...(contract.type === 'monthly' ? {} : { renewalDate: dateOf(untilDay + contract.renewalInDays) }),
      },
    }),
    healthFacts(account, 0, 0, at),
    ...npsFacts(account, at),
    draft(account, 'outcome', 'mrr.started', at, { quantity: mrrAt(account, 0) }),
    // An account that signed up within the history is new business; others were customers before.
    ...(Number.isFinite(account.ageDays)
      ? [draft(account, 'outcome', 'arr.new', at, { quantity: mrrAt(account, 0) * 12 })]
      : []),
  ]
}

/** `noise` is added to the scores. */
export function healthFacts(account: SampleAccount, progress: number, noise: number, at: number): Draft {
  const score = Math.round(levelAt(account.health, progress)) + noise
  const { properties, ...facts } = health(account, score, moodAt(account.mood, progress), at)
  return {
    ...facts,
    properties: {
      ...properties,
      // The CS team sees more than the numbers show, and is a bit more hopeful.
      csScore: cut(score + 4 - noise * 3),
      paymentCurrent: account.paysInTime,
      ...(account.csat === undefined ? {} : { csat: cut(account.csat + noise) }),
    },
  }
}

export function health(account: SampleAccount, score: number, sentiment: Sentiment, at: number): Draft {
  return draft(account, 'health', 'health', at, {
    properties: { score: cut(score), supportSentiment: sentiment },
  })
}

export function npsFacts(account: SampleAccount, at: number): Draft[] {
  return account.nps === undefined
    ? []
    : [draft(account, 'health', 'survey', at, { properties: { nps: account.nps } })]
}

/** How much of the storage and of the plan is used. */
export function planFacts(account: SampleAccount, progress: number, at: number): Draft {
  return draft(account, 'traits', 'plan-use', at, {
    properties: { storageUsedGb: storageAt(account, progress), usagePercentage: planUse(account, progress) },
  })
}

export function headcountFacts(account: SampleAccount, progress: number, at: number): Draft {
  return draft(account, 'traits', 'firmographics', at, {
    properties: { employees: employeesAt(account, progress) },
  })
}

function storageAt({ storageUse, contract }: SampleAccount, progress: number): number {
  return Math.round(levelAt(storageUse, progress) * contract.storageLimitGb)
}

function employeesAt({ employees }: SampleAccount, progress: number): number {
  return Math.round(levelAt(employees, progress))
}

function cut(score: number): number {
  return Math.min(100, Math.max(0, score))
}

/** The length of a storyline in days: it converts days ago to progress. */
const STORY_DAYS = 90

function seatsAt({ contract, change }: SampleAccount, progress: number): number {
  return change !== undefined && isBefore(change, progress) ? change.seatsBefore : contract.seats
}

/** Monthly recurring revenue. */
function mrrAt({ contract, change }: SampleAccount, progress: number): number {
  if (change === undefined) return contract.seats * contract.seatPrice
  return isBefore(change, progress) ? change.mrrBefore : change.mrr
}

function isBefore({ daysAgo }: ContractChange, progress: number): boolean {
  return progress < 1 - daysAgo / STORY_DAYS
}

/** Percent of the nearest limit of the plan that is used, 0 to 100, as the vendor's billing reports it. */
function planUse(account: SampleAccount, progress: number): number {
  const { users, diligence, apiUse, storageUse } = account
  const seats =
    (Math.floor(levelAt(users, progress)) * levelAt(diligence, progress)) / seatsAt(account, progress)
  const calls = apiUse === undefined ? 0 : levelAt(apiUse, progress)
  return percent(Math.max(seats, calls, levelAt(storageUse, progress)))
}

/** 100 at most: a full plan cannot be used more. */
export function percent(share: number): number {
  return Math.round(Math.min(1, share) * 100)
}
