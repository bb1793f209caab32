import type { PropertyValue, Signal, SignalKind } from '../signals/signal.ts'
import { DAY_MS, HOUR_MS } from '../signals/time.ts'
import { LOCATIONS, TEAMS } from './names.ts'
import type { Random } from './random.ts'
import type { SampleAccount, Scene } from './sample-account.ts'

/** A signal without an id: ids are given later, in the order of time. */
export type Draft = Omit<Signal, 'id'>

export function draft(
  account: SampleAccount,
  kind: SignalKind,
  name: string,
  occurredAt: number,
  more: { quantity?: number; userId?: string; properties?: Readonly<Record<string, PropertyValue>> } = {},
): Draft {
  return {
    kind,
    name,
    accountId: account.id,
    userId: more.userId,
    quantityThousandths: Math.round((more.quantity ?? 1) * 1000),
    properties: more.properties ?? {},
    occurredAt,
  }
}

/**
 * A scene, and the scenes that go with it.
 * @param users how many users the account has now
 * @param newcomer how many newcomers came since: the scene's newcomer is the next user
 */
export function draftsOfScene(
  account: SampleAccount,
  scene: Scene,
  occurredAt: number,
  users: number,
  newcomer: number,
  random: Random,
): Draft[] {
  return [scene, ...scene.also].map(({ kind, name, quantity, properties, by }) => {
    const user = by === 'newcomer' ? users + newcomer : random.integer(0, Math.max(0, users - 1))
    return draft(account, kind, name, occurredAt, {
      quantity,
      properties,
      ...(by === undefined ? {} : { userId: userIdOf(account, user) }),
    })
  })
}

export function userIdOf(account: SampleAccount, user: number): string {
  return `${account.id}-u${user + 1}`
}

/** The user's team and location: they stay the same until a new team or location begins. */
export function placeOfUser(
  user: number,
  teams: number,
  locations: number,
): { team: string; location: string } {
  return { team: TEAMS[user % teams]!, location: LOCATIONS[user % locations]! }
}

/** A moment in the account's office hours, more often around noon than at their ends. */
export function officeMoment(account: SampleAccount, localDay: number, random: Random): number {
  const hour = 8 + (random.next() + random.next()) * 5
  return Math.floor(localDay * DAY_MS + (hour - account.utcOffsetHours) * HOUR_MS)
}
