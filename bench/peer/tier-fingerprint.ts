import { createHash } from 'node:crypto'

/**
 * A change of tier in the Kafka Streams job's terms. `at` and `cause` are a signal's time and id, or a
 * midnight and `window`.
 */
export interface PeerChange {
  readonly accountId: string
  readonly from: string
  readonly to: string
  readonly score: number
  readonly at: string
  readonly cause: string
}

export interface Fingerprint {
  readonly tierChanges: number
  readonly sha256: string
}

/**
 * Translates our change into the peer's terms, with `at` as RFC 3339. The peer uses the time at which the
 * signal occurred. We use the account's clock, which is later if the signal arrived out of order.
 * @throws Error for a cause that the peer does not have
 */
export function peerChange(
  change: {
    readonly accountId: string
    readonly from: string
    readonly to: string
    readonly score: number
    readonly at: string
    readonly cause: { readonly type: string; readonly signalId?: string }
  },
  occurredAt: (signalId: string) => string,
): PeerChange {
  const { accountId, from, to, score, at, cause } = change
  if (cause.type === 'window') return { accountId, from, to, score, at, cause: 'window' }
  if (cause.signalId === undefined) throw new Error(`a change of tier with the cause ${cause.type}`)
  return { accountId, from, to, score, at: occurredAt(cause.signalId), cause: cause.signalId }
}

/** See "Fingerprint" in the peer's README. The changes of each account must be in their order. */
export function fingerprintOf(changes: Iterable<PeerChange>): Fingerprint {
  const byAccount = new Map<string, PeerChange[]>()
  let tierChanges = 0
  for (const change of changes) {
    tierChanges++
    const others = byAccount.get(change.accountId)
    if (others === undefined) byAccount.set(change.accountId, [change])
    else others.push(change)
  }
  const accounts = [...byAccount.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const hash = createHash('sha256')
  for (const account of accounts) {
    for (const { accountId, from, to, score, at, cause } of byAccount.get(account)!)
      hash.update(`${accountId}|${from}|${to}|${score}|${at}|${cause}\n`)
  }
  return { tierChanges, sha256: hash.digest('hex') }
}
