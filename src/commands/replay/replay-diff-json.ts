import type {
  ModelRunDiff,
  MovedAccount,
  PqlInBothRuns,
  PqlInOneRun,
  PqlLife,
  RunDiff,
} from '../../analysis/run-diff.ts'
import type { RunDiffHead } from '../../console/print-run-diff.ts'

/**
 * The JSON of `upswell replay diff --json` in pieces: a line for each account and PQL of the lists, so that
 * no string holds them all. Times are RFC 3339.
 */
export function* runDiffJson({ replay, isBehind }: RunDiffHead, diff: RunDiff): Generator<string> {
  const { window, models, oneSided } = diff
  const head = { replay, from: isoTime(window.from), to: isoTime(window.to), behind: isBehind }
  // The closing brace comes last.
  yield `${JSON.stringify(head).slice(0, -1)},\n"models":[`
  for (const [i, model] of models.entries()) {
    yield i === 0 ? '\n' : ',\n'
    yield* modelJson(model)
  }
  yield `],\n"onlyLive":${JSON.stringify(oneSided.live)},\n"onlyReplay":${JSON.stringify(oneSided.replay)}}\n`
}

function* modelJson({ modelId, versions, tiers, periods, pqls }: ModelRunDiff): Generator<string> {
  const { movedAccounts, ...tierSums } = tiers
  const { lists, ...pqlSums } = pqls
  const sums = {
    modelId,
    versions,
    periods: {
      unit: periods.unit,
      rows: periods.rows.map(row => ({ ...row, from: isoTime(row.from), to: isoTime(row.to) })),
    },
    tiers: tierSums,
    pqls: pqlSums,
  }
  yield JSON.stringify(sums).slice(0, -1)
  yield* listJson('movedAccounts', movedAccounts, movedAccount)
  yield* listJson('pqlsInBoth', lists.both, sharedPql)
  yield* listJson('pqlsOnlyLive', lists.onlyLive, onePql)
  yield* listJson('pqlsOnlyReplay', lists.onlyReplay, onePql)
  yield '}'
}

function* listJson<T>(name: string, all: readonly T[], form: (one: T) => object): Generator<string> {
  yield `,\n"${name}":[`
  for (const [i, one] of all.entries()) yield `${i === 0 ? '\n' : ',\n'}${JSON.stringify(form(one))}`
  yield ']'
}

function movedAccount({ accountId, tier, since }: MovedAccount): object {
  return { accountId, tier, since: { live: isoTime(since.live), replay: isoTime(since.replay) } }
}

function onePql({ accountId, trigger, motion, ...life }: PqlInOneRun): object {
  return { accountId, trigger, motion, ...lifeJson(life) }
}

function sharedPql({ accountId, trigger, motion, life, shiftMs }: PqlInBothRuns): object {
  return {
    accountId,
    trigger,
    motion,
    shiftMs,
    live: lifeJson(life.live),
    replay: lifeJson(life.replay),
  }
}

function lifeJson({ start, end, held }: PqlLife): object {
  return { start: isoTime(start), end: isoTime(end), held }
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
