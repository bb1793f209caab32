import { DAY_MS } from '../scoring/time.ts'
import { levelAt } from './course.ts'
import { type Draft, draft } from './draft.ts'
import { moodAt, type SampleAccount, type Sentiment } from './sample-account.ts'

/** What is known of an account when it is first heard of. `untilDay`: the UTC day at which the history ends. */
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
      },
    }),
    draft(account, 'contract', 'contract', at, {
      properties: {
        seats: contract.seats,
        apiCallLimit: contract.apiCallLimit,
        storageLimitGb: contract.storageLimitGb,
        includedFeatures: contract.includedFeatures,
        type: contract.type,
        discountPercent: contract.discountPercent,
        fiscalYearStart: contract.fiscalYearStart,
        // A contract from month to month has no renewal to speak of.
        ...(contract.type === 'monthly' ? {} : { renewalDate: dateOf(untilDay + contract.renewalInDays) }),
      },
    }),
    healthFacts(account, 0, 0, at),
    ...npsFacts(account, at),
  ]
}

export function healthFacts(account: SampleAccount, progress: number, noise: number, at: number): Draft {
  return health(
    account,
    Math.round(levelAt(account.health, progress)) + noise,
    moodAt(account.mood, progress),
    at,
  )
}

export function health(account: SampleAccount, score: number, sentiment: Sentiment, at: number): Draft {
  return draft(account, 'health', 'health', at, {
    properties: { score: Math.min(100, Math.max(0, score)), supportSentiment: sentiment },
  })
}

export function npsFacts(account: SampleAccount, at: number): Draft[] {
  return account.nps === undefined
    ? []
    : [draft(account, 'health', 'survey', at, { properties: { nps: account.nps } })]
}

export function storageFacts(account: SampleAccount, progress: number, at: number): Draft {
  return draft(account, 'traits', 'storage', at, {
    properties: { storageUsedGb: storageAt(account, progress) },
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

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
