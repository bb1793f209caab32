import { setTimeout as sleep } from 'node:timers/promises'
import { UpswellError } from '../../lib/errors.ts'
import { readPromotion } from '../../log/decode-records.ts'
import type { LogRecord } from '../../log/log.ts'
import { originOffset } from './copy-records.ts'
import { type Lineage, originPartition } from './lineage.ts'

const POLL_MS = 20
/** Then the session ends, and the next one waits again: readiness and the log say why. */
const PATIENCE_MS = 5_000

/**
 * Before a replay's promotion is taken up: waits until the line that served has passed it too. All that it had to publish is published then, and goes before what
 * this one publishes, account by account.
 * @throws UpswellError LOG_UNAVAILABLE if that takes long; STORE_UNAVAILABLE
 */
export async function awaitOrigin({ origin }: Lineage, partition: number, record: LogRecord): Promise<void> {
  if (origin === undefined || readPromotion(record) === undefined) return
  const from = originPartition(origin, partition)
  const offset = originOffset(record) ?? 0
  for (const until = performance.now() + PATIENCE_MS; ; await sleep(POLL_MS)) {
    const storedOffset = await origin.store.readStoredOffset(from)
    if (storedOffset > offset) return
    if (performance.now() < until) continue
    throw new UpswellError(
      'LOG_UNAVAILABLE',
      `promoted, but ${origin.topic} partition ${from} has been scored up to ${storedOffset} only, and the promotion is at ${offset}: its scorers must come there first`,
      { canRetry: true },
    )
  }
}
