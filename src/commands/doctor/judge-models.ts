import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { countText, namesText } from './units.ts'

/** The configured models beside the active ones of one partition. */
export interface PartitionModels {
  readonly partition: number
  /** `id@version` of each, ascending. Empty: no models are active yet. */
  readonly active: readonly string[]
  /** Whether the configured models are active, or were replaced by a promotion. */
  readonly areActive: boolean
  /** Why a configured model may not become active; undefined: it may. */
  readonly edited: string | undefined
}

/** @param configured `id@version` of each, ascending */
export function judgeActiveModels(
  configured: readonly string[],
  partitions: readonly PartitionModels[],
): Finding {
  const check = 'active-models'
  if (partitions.length === 0)
    return warning(
      check,
      'no scorer has worked yet, so no models are active',
      `${configured.join(', ')} in each partition`,
      'start the scorers, before producers write signals',
    )
  const edited = partitions.find(each => each.edited !== undefined)
  if (edited !== undefined)
    return problem(
      check,
      edited.edited!.split('\n').join(', '),
      'a version keeps its content once it was active',
      'write the next version, or put the old file back: scorers end at their start',
    )
  const other = partitions.filter(({ areActive }) => !areActive)
  if (other.length > 0) {
    const active = other[0]!.active
    return warning(
      check,
      `partitions ${namesText(other.map(({ partition }) => String(partition)))} have ${active.length === 0 ? 'no models' : active.join(', ')}, and the files have ${configured.join(', ')}`,
      'the same in the log and in UPSWELL_MODELS',
      'if you want the files, stop all scorers, then start all: "Rotate a model" in docs/runbook.md. Else correct UPSWELL_MODELS',
    )
  }
  return ok(check, `${configured.join(', ')} in ${partitions.length} partitions`)
}

export interface NameFacts {
  readonly accounts: number
  /** There are more accounts than were read. */
  readonly isSample: boolean
  /** `model: name` for each name that a model reads and that no account has. */
  readonly neverSeen: readonly string[]
}

export function judgeModelNames({ accounts, isSample, neverSeen }: NameFacts): Finding {
  const check = 'model-names'
  if (accounts === 0) return notChecked(check, 'there are no accounts yet')
  const whose = isSample
    ? `${accounts} accounts that were read`
    : `the ${countText(accounts, 'account')} in the store`
  if (neverSeen.length === 0) return ok(check, `each name that a model reads is in some of ${whose}`)
  return warning(
    check,
    `none of ${whose} has ${namesText(neverSeen, 10)}`,
    'producers send every name that a model reads',
    'compare these names with what your producers send; a rule that reads a missing name never counts',
  )
}
