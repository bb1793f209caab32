import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '../../app/config.ts'
import { isEmbedded } from '../../app/open-backend.ts'
import { formatPromotion } from '../../console/print-promotion.ts'
import type { FoundLineage, Lineages } from '../../consumers/lineage/lineages.ts'
import { preparePromotion, writePromotion } from '../../consumers/lineage/promote.ts'
import { type ConfirmOptions, confirm } from '../confirm.ts'
import { lookOf, print } from '../terminal.ts'
import { type OpenedLineages, withLineages } from '../with-lineages.ts'
import { readPromotionEffect } from './promotion-effect.ts'

const LOOK_INTERVAL_MS = 1_000
const PROMOTION_TIMEOUT_MS = 60_000
/** Shorter: the only process that can take it up is on this machine. */
const EMBEDDED_TIMEOUT_MS = 5_000

/**
 * `upswell replay promote NAME`: says what would change, asks, and promotes. Returns the exit code: 1 if the
 * answer is no, or no scorer takes up the promotion within 60 s.
 * @throws UpswellError INVALID_SETTINGS: it cannot be promoted, or nobody can be asked and `--yes` is
 * missing; LOG_UNAVAILABLE, STORE_UNAVAILABLE, STATE_UNREADABLE
 */
export async function promoteReplay(name: string, options: ConfirmOptions): Promise<number> {
  const config = readConfig()
  return await withLineages(config, async opened => {
    await describe(opened, name, config)
    if (!(await confirm({ options, what: `Promoting ${name}` }))) {
      print('Nothing was written.')
      return 1
    }
    const promoted = await writePromotion(opened.lineages, name, Date.now())
    print(`The promotion of ${name} is written into the log.`)
    return await untilServed(opened.lineages, promoted, name, config)
  })
}

async function describe({ lineages, library }: OpenedLineages, name: string, config: Config): Promise<void> {
  const { promoted, served, behind } = await preparePromotion(lineages, name, Date.now())
  const effect = await readPromotionEffect(served, promoted, library)
  const head = { replay: name, served: served.names.namespace, behind }
  print(`${formatPromotion(head, effect, lookOf(config))}\n`)
}

async function untilServed(
  lineages: Lineages,
  promoted: FoundLineage,
  name: string,
  config: Config,
): Promise<number> {
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
}
