import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../app/config.ts'
import { isEmbedded } from '../../app/open-backend.ts'
import { writePromotion } from '../../consumers/lineage/promote.ts'
import { print } from '../terminal.ts'
import { withLineages } from '../with-lineages.ts'

const LOOK_INTERVAL_MS = 1_000
const PROMOTION_TIMEOUT_MS = 60_000
/** Shorter: the only process that can take it up is on this machine. */
const EMBEDDED_TIMEOUT_MS = 5_000

/**
 * `upswell replay promote NAME`. Returns the exit code: 1 if no scorer takes up the promotion within 60 s.
 */
export async function promoteReplay(name: string): Promise<number> {
  const config = readConfig()
  return await withLineages(config, async ({ lineages }) => {
    const promoted = await writePromotion(lineages, name, Date.now())
    print(`The promotion of ${name} is written into the log.`)
    const timeoutMs = isEmbedded(config) ? EMBEDDED_TIMEOUT_MS : PROMOTION_TIMEOUT_MS
    for (const until = Date.now() + timeoutMs; Date.now() < until; await sleep(LOOK_INTERVAL_MS)) {
      if ((await lineages.served()).names.namespace !== promoted.names.namespace) continue
      print(
        `${name} serves: the API answers from it, and its events go to ${lineages.original.names.topics['pql-events']} and the other output topics.`,
      )
      return 0
    }
    print(
      isEmbedded(config)
        ? 'It takes effect with the next "upswell start".'
        : `No scorer has reached it within ${PROMOTION_TIMEOUT_MS / 1000} s. It takes effect as soon as "upswell score" runs; you need not do anything else.`,
    )
    return isEmbedded(config) ? 0 : 1
  })
}
