import { type AccountDiff, diffAccount, isChanged } from '../../analysis/diff-account.ts'
import { modelChanges } from '../../analysis/model-changes.ts'
import { DiffAccumulator, MostChanged } from '../../analysis/summarize-diffs.ts'
import { tryModel } from '../../analysis/try-model.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { openServed } from '../../app/open-backend.ts'
import { readModelFile } from '../../app/read-model-files.ts'
import { formatModelDiff } from '../../console/print-model-diff.ts'
import { UpswellError } from '../../lib/errors.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { AccountStore } from '../../store/store.ts'
import { isNeverStarted, storeLocation, storeSettings } from '../data-location.ts'
import { progressBar } from '../progress-bar.ts'
import { lineLogger, lookOf, writeOut } from '../terminal.ts'
import { ModelDiffJson } from './model-diff-json.ts'
import { readAllAccounts, readOverview, type StoreOverview } from './read-accounts.ts'

export interface ModelDiffOptions {
  /** The most accounts that the text lists. */
  readonly limit: number
  readonly json?: true
  readonly exitCode?: true
}

/** Instead of a file: the version that is active in the store. */
const ACTIVE = 'active'

/**
 * `upswell model diff BEFORE AFTER`: what another version of a model would change for the accounts in the
 * store if it became active now. It only reads. Returns the exit code: 0; 1 if there are no accounts, or with
 * `exitCode` if a tier or PQL changes.
 * @throws InvalidModelError; UpswellError INVALID_SETTINGS, STORE_UNAVAILABLE, STATE_UNREADABLE
 */
export async function diffModels(before: string, after: string, options: ModelDiffOptions): Promise<number> {
  const config = readConfig()
  const library = new ModelLibrary()
  const to = await readModelFile(after, library)
  const from = before === ACTIVE ? undefined : await readModelFile(before, library)
  if (from !== undefined && from.definition.id !== to.definition.id)
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${before} is a version of the model ${from.definition.id}, ${after} of ${to.definition.id}; two versions of one model are accepted: files with the same id`,
    )
  if (isNeverStarted(config)) return reportNoAccounts(config)
  const backend = await openServed(config, lineLogger(config.logLevel), library)
  try {
    const overview = await readOverview(backend.store, library)
    if (overview.accounts === 0) return reportNoAccounts(config)
    const active = overview.activeModels.filter(model => model.definition.id === to.definition.id)
    if (from === undefined && active.length === 0) throw notActive(to, overview)
    return await diffStore(
      { config, library, store: backend.store, overview, from, active, to },
      options,
      after,
    )
  } finally {
    await backend.close()
  }
}

interface Comparison {
  readonly config: Config
  readonly library: ModelLibrary
  readonly store: AccountStore
  readonly overview: StoreOverview
  /** Undefined: the active version. */
  readonly from: CompiledModel | undefined
  /** The active versions; several while a change of models has not reached all partitions. */
  readonly active: readonly CompiledModel[]
  readonly to: CompiledModel
}

async function diffStore(comparison: Comparison, options: ModelDiffOptions, file: string): Promise<number> {
  const { config, library, store, overview, from, active, to } = comparison
  const now = Date.now()
  const sum = new DiffAccumulator()
  const most = new MostChanged(options.limit)
  const before = (from === undefined ? active : [from]).map(model => ({
    model: model.definition,
    isActive: active.some(({ definitionHash }) => definitionHash === model.definitionHash),
    changes: modelChanges(model.definition, to.definition),
  }))
  const head = { at: now, before, after: { model: to.definition, file }, history: overview.history }
  const document = options.json === true ? new ModelDiffJson(head, writeOut) : undefined
  const bar = progressBar('comparing', 'accounts', overview.accounts)
  let done = 0
  try {
    await document?.begin()
    for await (const { account, history } of readAllAccounts(store, library)) {
      // The wall clock does not pass for an account in history: it switches at its own clock.
      const trial = tryModel(account, { from, to, at: history ? 0 : now })
      if (trial === undefined) throw notActive(to, overview)
      const diff: AccountDiff = diffAccount(trial)
      sum.add(diff)
      most.offer(diff)
      if (isChanged(diff)) await document?.add(diff)
      bar.update(++done)
    }
  } finally {
    bar.stop()
  }
  const sums = sum.sums()
  if (document !== undefined) await document.end(sums)
  else {
    const accounts = { shown: most.accounts, count: most.count }
    await writeOut(`${formatModelDiff({ ...head, sums, accounts }, lookOf(config))}\n`)
  }
  return options.exitCode === true && most.count > 0 ? 1 : 0
}

function notActive({ definition }: CompiledModel, { activeModels }: StoreOverview): UpswellError {
  const ids = [...new Set(activeModels.map(model => model.definition.id))].sort().join(', ')
  return new UpswellError(
    'INVALID_SETTINGS',
    `no version of ${definition.id} is active in the store (active: ${ids || 'none'}); name a file instead of "${ACTIVE}"`,
  )
}

function reportNoAccounts(config: Config): number {
  process.stderr.write(
    `upswell: there are no accounts in ${storeLocation(config)}; start the service and send it signals ("upswell start", "upswell send"), or name another place with ${storeSettings(config)}\n`,
  )
  return 1
}
