import type { PropertyValue } from '../signals/signal.ts'
import { DAY_MS } from '../signals/time.ts'
import { levelAt } from './course.ts'
import { MAIN_PRODUCT } from './names.ts'
import type { SampleAccount } from './sample-account.ts'

/** The traits of an account in the vendor's CRM. `untilDay`: the UTC day on which the history ends. */
export function profileTraits(account: SampleAccount, untilDay: number): Record<string, PropertyValue> {
  const { profile, contract, industry, utcOffsetHours } = account
  return {
    csm: profile.csm,
    ...(profile.persona === undefined ? {} : { persona: profile.persona }),
    activationPath: profile.activationPath,
    stage: stageOf(account),
    tier: contract.plan === 'scale' ? 'enterprise' : contract.plan,
    region: utcOffsetHours < -1 ? 'americas' : utcOffsetHours <= 4 ? 'emea' : 'apac',
    productLine: profile.owns.length === 0 ? MAIN_PRODUCT : 'suite',
    customerType: customerTypeOf(account),
    vertical: industry,
    businessUnits: profile.businessUnits,
    businessCaseAligned: profile.businessCaseAligned,
    budgetConfirmed: profile.budgetConfirmed,
    // A newcomer has not seen first value yet.
    ...(account.storyline === 'newcomer'
      ? {}
      : { firstValueDate: dateOf(untilDay - profile.firstValueDaysAgo) }),
    ...prefixed('stakeholder', Object.entries(profile.stakeholders)),
    ...prefixed(
      'owns',
      profile.owns.map(product => [product, true] as const),
    ),
  }
}

export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

function stageOf({ storyline, contract, profile }: SampleAccount): string {
  if (storyline === 'newcomer') return 'onboarding'
  if (contract.type !== 'monthly' && contract.renewalInDays <= 120) return 'renewing'
  return profile.firstValueDaysAgo < 180 ? 'adopting' : 'established'
}

function customerTypeOf({ employees }: SampleAccount): string {
  const count = levelAt(employees, 1)
  return count >= 1000 ? 'enterprise' : count >= 200 ? 'mid-market' : 'small-business'
}

function prefixed<T>(prefix: string, entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.fromEntries(entries.map(([name, value]) => [`${prefix}.${name}`, value]))
}
