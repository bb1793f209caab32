import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Cause } from '../events.ts'
import type { Standing } from '../standing.ts'

/** The id of a decision about an account. It depends only on its arguments, so a replay makes the same id. */
export function standingEventId(
  kind: string,
  standing: Standing,
  accountId: string,
  what: readonly string[],
  at: number,
  cause: Cause,
): string {
  const { id, version } = standing.model.definition
  return eventId([kind, accountId, id, version, ...what, at, ...reasonParts(standing, cause)])
}

/** The id of one step in the life of a PQL. */
export function pqlEventId(
  standing: Standing,
  pqlId: string,
  status: string,
  at: number,
  cause: Cause,
): string {
  return eventId(['pql-event', pqlId, status, at, ...reasonParts(standing, cause)])
}

/**
 * The id of an event that announces an account when a lineage begins to serve. The account's clock may not
 * have moved since the same model decided the same under an earlier lineage.
 * @param id of the event without the announcement
 * @param namespace of the lineage that begins to serve
 */
export function announcementId(id: string, namespace: string): string {
  return eventId(['announcement', id, namespace])
}

/** The cause, and the generation if the account was under this version of the model before. */
function reasonParts({ generation }: Standing, { type, signalId = '' }: Cause): (string | number)[] {
  return generation === 0 ? [type, signalId] : [type, signalId, generation]
}

/**
 * The first 128 bits of the SHA-256 of the parts, as 32 hex digits. Subscribers drop repeats by this id, so
 * nobody may be able to choose account and signal ids that make two events collide. No part contains the
 * separator NUL.
 */
function eventId(parts: readonly (string | number)[]): string {
  // About 2.5 µs for each event. The SHA-256 is JavaScript because scoring imports nothing of Node's.
  return bytesToHex(sha256(UTF_8.encode(parts.join('\0'))).subarray(0, 16))
}

const UTF_8 = new TextEncoder()
