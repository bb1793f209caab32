import { hash128Hex } from '../../lib/hash.ts'
import type { Cause } from '../outputs.ts'
import type { Standing } from '../standing.ts'

/** The id of what happened to an account under a standing: made of nothing but that, so that a replay gives the same one. */
export function standingEventId(
  kind: string,
  standing: Standing,
  accountId: string,
  what: readonly string[],
  at: number,
  cause: Cause,
): string {
  const { id, version } = standing.model.definition
  return hash128Hex(kind, accountId, id, version, ...what, at, ...reasonParts(standing, cause))
}

/** The id of a step in the life of a PQL. */
export function pqlEventId(
  standing: Standing,
  pqlId: string,
  status: string,
  at: number,
  cause: Cause,
): string {
  return hash128Hex('pql-event', pqlId, status, at, ...reasonParts(standing, cause))
}

/** Why it happened; and where the account stands under this version again, the how manyth time. */
function reasonParts({ generation }: Standing, { type, signalId = '' }: Cause): (string | number)[] {
  return generation === 0 ? [type, signalId] : [type, signalId, generation]
}
