import { type Config, readConfig } from '../app/config.ts'
import { findServed } from '../consumers/lineage/find-served.ts'
import { checkAccounts } from '../consumers/parity/check-accounts.ts'
import { type ParitySource, paritySourceOf } from '../consumers/parity/parity-source.ts'
import { type CheckPlan, planCheck } from '../consumers/parity/plan-check.ts'
import type { AccountStore } from '../store/store.ts'
import { isNeverStarted, storeLocation, storeSettings } from './data-location.ts'
import { type CheckedPartition, countOutcomes, parityJson, parityText } from './parity-report.ts'
import { progressBar } from './progress-bar.ts'
import { writeOut } from './terminal.ts'
import { withLineages } from './with-lineages.ts'

export interface ParityOptions {
  /** The most accounts of all partitions together, but at least one of each partition. */
  readonly accounts: number
  readonly json?: true
  /** Fold the whole log, even if there are checkpoints. */
  readonly fromLog?: true
}

/**
 * `upswell parity`: recomputes accounts from the log and compares them with the store. It only reads; a
 * service may run. Returns the exit code: 0; 1 if an account differs, or none could be compared.
 * @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE, TOPIC_MISSING; InvalidModelError if this version
 * cannot read a model in the log
 */
export async function parity(options: ParityOptions): Promise<number> {
  const config = readConfig()
  if (isNeverStarted(config)) return reportNoAccounts(config)
  return await withLineages(config, async ({ lineages, library }) => {
    const source = paritySourceOf(await findServed(lineages), library)
    const plans = await planAll(source, options)
    if (plans.length === 0) return reportNoAccounts(config)
    const checked = await checkAll(source, plans)
    await writeOut(options.json === true ? parityJson(checked) : parityText(checked))
    const { equal, different } = countOutcomes(checked.flatMap(({ accounts }) => accounts))
    return different > 0 || equal === 0 ? 1 : 0
  })
}

/** Each partition that holds accounts gets its share of the accounts to check. */
async function planAll(source: ParitySource, { accounts, fromLog }: ParityOptions): Promise<CheckPlan[]> {
  const held = await countAccounts(source.store)
  const total = held.reduce((sum, each) => sum + each, 0)
  const from = fromLog === true ? 'beginning' : 'checkpoint'
  const plans: CheckPlan[] = []
  let before = 0
  for (const [partition, each] of held.entries()) {
    if (each === 0) continue
    const share = Math.floor((accounts * (before + each)) / total) - Math.floor((accounts * before) / total)
    before += each
    const count = Math.max(1, share)
    plans.push(await planCheck(source, partition, { count, random: Math.random, from }))
  }
  return plans
}

async function countAccounts(store: AccountStore): Promise<number[]> {
  const held: number[] = []
  const partitions = (await store.partitions()) ?? 0
  for (let partition = 0; partition < partitions; partition++)
    held.push(await store.countDue(partition, Number.POSITIVE_INFINITY))
  return held
}

async function checkAll(source: ParitySource, plans: readonly CheckPlan[]): Promise<CheckedPartition[]> {
  const total = plans.reduce((sum, { from, to }) => sum + to - from, 0)
  const bar = progressBar('folding', 'records', total)
  const checked: CheckedPartition[] = []
  let done = 0
  try {
    for (const plan of plans) {
      const onProgress = (offsets: number) => bar.update(done + offsets)
      const accounts = await checkAccounts(source, plan, { restMs: 0, onProgress })
      checked.push({ plan, accounts })
      done += plan.to - plan.from
    }
  } finally {
    bar.stop()
  }
  return checked
}

function reportNoAccounts(config: Config): number {
  process.stderr.write(
    `upswell: there are no accounts in ${storeLocation(config)}, so there is nothing to compare; name another place with ${storeSettings(config)}\n`,
  )
  return 1
}
