import { DAY_MS, HOUR_MS } from '../signals/time.ts'
import { levelAt } from './course.ts'
import { type Draft, draft, officeMoment, placeOfUser, userIdOf } from './draft.ts'
import { headcountFacts, healthFacts, npsFacts, planFacts } from './facts.ts'
import { COLLABORATIONS, FEATURES, MAIN_PRODUCT, POWER_FEATURES } from './names.ts'
import { createRandom, type Random } from './random.ts'
import type { SampleAccount } from './sample-account.ts'

/** How far an account is in its storyline, on a day and on the day before: 0 to 1. */
export interface DayProgress {
  readonly progress: number
  readonly before: number
}

/**
 * What an account does on one day of its time zone, unordered. Equal for the same seed, account, day and
 * progress.
 */
export function draftsOfDay(
  seed: number,
  account: SampleAccount,
  localDay: number,
  { progress, before }: DayProgress,
): Draft[] {
  const random = createRandom(seed, account.id, localDay)
  const users = userCount(account, progress)
  return [
    ...sessions(account, localDay, progress, users, random),
    ...teamwork(account, localDay, progress, users, createRandom(seed, account.id, localDay, 'teamwork')),
    ...arrivals(account, localDay, userCount(account, before), users, random),
    ...apiCalls(account, localDay, progress, random),
    ...reports(account, localDay, progress, random),
  ]
}

export function userCount(account: SampleAccount, progress: number): number {
  return Math.floor(levelAt(account.users, progress))
}

/**
 * Users take turns: chance cannot leave one out for 30 days, so the storyline alone decides the rate of
 * active seats. Features take turns too, one a day.
 */
function sessions(
  account: SampleAccount,
  localDay: number,
  progress: number,
  users: number,
  random: Random,
): Draft[] {
  const teams = Math.floor(levelAt(account.teams, progress))
  const locations = Math.floor(levelAt(account.locations, progress))
  const features = featureNames(account)
  const session = (user: number, feature: string): Draft =>
    draft(account, 'usage', feature, officeMoment(account, localDay, random), {
      userId: userIdOf(account, user),
      quantity: random.integer(1, 12),
      properties: { ...placeOfUser(user, teams, locations), product: MAIN_PRODUCT },
    })
  const diligence = levelAt(account.diligence, progress)
  if (isWeekend(localDay)) {
    const someoneWorks = random.chance(0.25 * diligence)
    return someoneWorks ? [session(random.integer(0, users - 1), favourite(features, random))] : []
  }
  const perDay = Math.max(2, Math.round(levelAt(account.users, 1) / USERS_PER_SESSION))
  const day = weekdaysBefore(localDay)
  return Array.from({ length: perDay }, (_, i) => i)
    .filter(() => diligence >= 1 || random.chance(diligence))
    .map(i =>
      session(
        (day * perDay + i) % users,
        i === 0 ? features[day % features.length]! : favourite(features, random),
      ),
    )
}

/** 30 days hold at least 20 weekdays: with one session a day for 11 users, each user has about two turns. */
const USERS_PER_SESSION = 11

function featureNames({ featuresUsed, powerFeaturesUsed }: SampleAccount): string[] {
  return [
    ...FEATURES.slice(0, featuresUsed).map(name => `feature.${name}`),
    ...POWER_FEATURES.slice(0, powerFeaturesUsed).map(name => `feature.power.${name}`),
  ]
}

/** Earlier features of the list are used more. */
function favourite(features: readonly string[], random: Random): string {
  return features[Math.floor(features.length * random.next() ** 2)]!
}

/** How long the users stay, measured on some days of the week, and how often they work together. */
function teamwork(
  account: SampleAccount,
  localDay: number,
  progress: number,
  users: number,
  random: Random,
): Draft[] {
  if (isWeekend(localDay) || !random.chance(levelAt(account.diligence, progress))) return []
  const moment = (): number => officeMoment(account, localDay, random)
  const user = (): { userId: string } => ({ userId: userIdOf(account, random.integer(0, users - 1)) })
  const isMeasured = (localDay + account.index) % 7 < MEASURED_DAYS
  const minutes = Math.max(1, Math.round(account.sessionMinutes * random.between(0.7, 1.3)))
  return [
    ...(isMeasured
      ? [draft(account, 'usage', 'session.ended', moment(), { ...user(), quantity: minutes })]
      : []),
    ...Array.from({ length: account.collaborations }, () =>
      draft(account, 'usage', `collaboration.${random.pick(COLLABORATIONS)}`, moment(), user()),
    ),
  ]
}

/** Days of seven; up to two of them fall on a weekend. */
const MEASURED_DAYS = 4

function arrivals(
  account: SampleAccount,
  localDay: number,
  usersBefore: number,
  users: number,
  random: Random,
): Draft[] {
  const drafts: Draft[] = []
  for (let user = usersBefore; user < users; user++) {
    const moment = officeMoment(account, localDay, random)
    if (account.invites && user > 0) {
      drafts.push(
        draft(account, 'usage', 'user.invited', moment - HOUR_MS, { userId: userIdOf(account, user - 1) }),
      )
    }
    drafts.push(draft(account, 'usage', 'user.added', moment, { userId: userIdOf(account, user) }))
  }
  return drafts
}

/** A metering job reports the calls of a day once, in the evening. */
function apiCalls(account: SampleAccount, localDay: number, progress: number, random: Random): Draft[] {
  if (account.apiUse === undefined) return []
  const share = levelAt(account.apiUse, progress) / WEEKDAYS_A_MONTH
  const ofDay = isWeekend(localDay) ? WEEKEND_CALLS : 1
  const quantity = Math.round(account.contract.apiCallLimit * share * ofDay * random.between(0.92, 1.08))
  const evening = localDay * DAY_MS + (19.5 - account.utcOffsetHours) * HOUR_MS + random.integer(0, 60_000)
  return [draft(account, 'usage', 'api.called', evening, { quantity })]
}

const WEEKEND_CALLS = 0.2
/** 30 days hold 20 to 22 weekdays; a weekend day counts a fifth: 22 to 24 in all. */
const WEEKDAYS_A_MONTH = 23

/**
 * What other systems report about an account: weekly, monthly, every 60 days; each account on its own day.
 */
function reports(account: SampleAccount, localDay: number, progress: number, random: Random): Draft[] {
  const at = Math.floor(localDay * DAY_MS + 3 * HOUR_MS + account.index * 1000)
  const turn = localDay + account.index
  return [
    ...(turn % 7 === 0
      ? [healthFacts(account, progress, random.integer(-2, 2), at), planFacts(account, progress, at)]
      : []),
    ...(turn % 30 === 0 ? [headcountFacts(account, progress, at)] : []),
    ...(turn % 60 === 0 ? npsFacts(account, at) : []),
  ]
}

/** Day 0 was a Thursday. */
function isWeekend(day: number): boolean {
  return (day + 3) % 7 >= 5
}

function weekdaysBefore(day: number): number {
  return Math.floor((day + 3) / 7) * 5 + Math.min(5, (day + 3) % 7)
}
