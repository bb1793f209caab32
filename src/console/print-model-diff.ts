import type { AccountDiff } from '../analysis/diff-account.ts'
import type { FieldValue, ModelChange, ModelPart } from '../analysis/model-changes.ts'
import type { DiffSums } from '../analysis/summarize-diffs.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import { counted, formatSigned, formatValue, grouped } from './format.ts'
import { accountDiffLines, titleOfTier } from './print-account-diff.ts'
import { type Line, type LineLook, renderSections, type Segment, table } from './styled-lines.ts'
import { plainText } from './terminal-text.ts'

export interface ModelDiffHead {
  /** When the switch would happen, ms. */
  readonly at: number
  /** Usually one version; several while a change of models has not reached all partitions. */
  readonly before: readonly {
    readonly model: ModelDefinition
    /** The store scores with it. */
    readonly isActive: boolean
    readonly changes: readonly ModelChange[]
  }[]
  readonly after: { readonly model: ModelDefinition; readonly file: string }
  /** Some accounts are in history: they switch at their own clock. */
  readonly history: boolean
}

export interface ModelDiff extends ModelDiffHead {
  readonly sums: DiffSums
  readonly accounts: {
    /** In the order of the list. */
    readonly shown: readonly AccountDiff[]
    /** How many accounts change a tier or a PQL. */
    readonly count: number
  }
}

/**
 * What another version of a model would change: first the sums, then the accounts with their reasons. No
 * newline at the end.
 */
export function formatModelDiff(diff: ModelDiff, look: LineLook): string {
  const sections: readonly (readonly Line[])[] = [
    headLines(diff),
    changeLines(diff),
    tierLines(diff),
    scoreLines(diff),
    pqlLines(diff.sums),
    alertLines(diff.sums),
    accountLines(diff),
  ]
  return renderSections(sections, look)
}

function headLines({ at, before, after, history, sums }: ModelDiff): Line[] {
  const versions = before
    .map(({ model, isActive }) => `${model.version}${isActive ? ' (active)' : ''}`)
    .join(' and ')
  const { model, file } = after
  const lines: Line[] = [
    [
      { text: plainText(model.name), style: 'bold' },
      `: version ${versions} → ${model.version} (${plainText(file)})`,
    ],
    [
      `${counted(sums.accounts, 'account')} as of ${new Date(at).toISOString()}${history ? '; accounts in history as of their own time' : ''}`,
    ],
  ]
  if (sums.inScope.before !== sums.accounts || sums.inScope.after !== sums.accounts)
    lines.push([`in scope: ${grouped(sums.inScope.before)} → ${grouped(sums.inScope.after)}`])
  if (before.some(({ model: old, changes }) => changes.length > 0 && old.version === model.version))
    lines.push([
      {
        text: `Both files say version ${model.version}, but they differ: give the new one a new version before it runs.`,
        style: 'yellow',
      },
    ])
  if (before.some(({ isActive }) => !isActive))
    lines.push([
      {
        text: `Version ${versions} is not active: the comparison assumes that it scored these accounts all along, without dwell and cooldowns.`,
        style: 'yellow',
      },
    ])
  return lines
}

const PARTS: Readonly<Record<ModelPart, string>> = {
  score: 'score',
  scope: 'accounts in scope',
  feature: 'feature',
  group: 'group',
  rule: 'rule',
  tier: 'tier',
  'tier-policy': 'tier policy',
  gate: 'gate',
  trigger: 'trigger',
  alert: 'alert',
  facet: 'facet',
  rate: 'rate',
  kpis: 'key figures',
}

function changeLines({ before }: ModelDiff): Line[] {
  return before.flatMap(({ model, changes }) => {
    const against = before.length > 1 ? ` from version ${model.version}` : ''
    if (changes.length === 0) return [[`The model is the same${against}.`]]
    const rows = changes.map(({ part, name, status, details }): Line => {
      const style = status === 'new' ? 'green' : status === 'gone' ? 'red' : 'yellow'
      const what = [PARTS[part], name].filter(text => text !== undefined).join(' ')
      const text = detailsText(details)
      return [
        '  ',
        { text: status.padEnd(7), style },
        ` ${plainText(what)}`,
        { text: text === '' ? '' : `: ${text}`, style: 'dim' },
      ]
    })
    return [[{ text: `Changed in the model${against}`, style: 'bold' as const }], ...rows]
  })
}

/** Further fields of one part are only counted. */
const SHOWN_FIELDS = 3

function detailsText(details: ModelChange['details']): string {
  const valueText = (value: FieldValue): string => (value === null ? 'none' : formatValue(value))
  const parts = details
    .slice(0, SHOWN_FIELDS)
    .map(({ field, before, after }) => `${plainText(field)} ${valueText(before)} → ${valueText(after)}`)
  const more = details.length - parts.length
  return [...parts, ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

function tierLines({ before, after, sums }: ModelDiff): Line[] {
  const { tiers, tierChanges, tierChangesLater, accounts } = sums
  const later = tierChangesLater === 0 ? '' : `; ${grouped(tierChangesLater)} may change when the dwell ends`
  const found = (side: 'before' | 'after'): Set<string> => new Set(tiers.map(each => each[side]))
  const definitions = [...before.map(({ model }) => model), after.model]
  const ordered = (side: 'before' | 'after'): string[] => {
    const names = definitions.flatMap(model => model.tiers.map(({ name }) => name)).reverse()
    return [...new Set(names)].filter(name => found(side).has(name))
  }
  const titleOf = (tier: string): string => titleOfTier(tier, [after.model, ...definitions])
  const [rows, columns] = [ordered('before'), ordered('after')]
  const cells: Segment[][] = [
    ['before ↓  after →', ...columns.map(titleOf)],
    ...rows.map(row => [
      titleOf(row),
      ...columns.map((column): Segment => {
        const number = tiers.find(each => each.before === row && each.after === column)?.accounts ?? 0
        const text = number === 0 ? '·' : grouped(number)
        return row === column || number === 0 ? { text, style: 'dim' } : { text, style: 'bold' }
      }),
    ]),
  ]
  return [
    [
      { text: 'Tiers', style: 'bold' },
      `: ${grouped(tierChanges)} of ${counted(accounts, 'account')} ${tierChanges === 1 ? 'changes' : 'change'}${later}`,
    ],
    ...table(cells),
  ]
}

function scoreLines({ sums }: ModelDiff): Line[] {
  const { up, down, same, meanChange } = sums.scores
  return [
    [
      { text: 'Scores', style: 'bold' },
      `: ${grouped(up)} up, ${grouped(down)} down, ${grouped(same)} the same; on average ${formatSigned(meanChange)}`,
    ],
  ]
}

const STATUSES = ['qualified', 'released', 'held', 'disqualified', 'expired'] as const

function pqlLines({ pqls }: DiffSums): Line[] {
  if (pqls.length === 0) return [[{ text: 'PQLs', style: 'bold' }, ': none would open, close or be held']]
  // Only the statuses that occur.
  const statuses = STATUSES.filter(status => pqls.some(row => row[status] > 0))
  return [
    [{ text: 'PQL events that would be published', style: 'bold' }],
    ...table([
      ['trigger', ...statuses],
      ...pqls.map(row => [
        row.trigger,
        ...statuses.map(status => (row[status] === 0 ? '·' : grouped(row[status]))),
      ]),
    ]),
  ]
}

function alertLines({ alerts }: DiffSums): Line[] {
  if (alerts.length === 0) return []
  return [
    [{ text: 'Alerts that would be sent', style: 'bold' }],
    ...table(alerts.map(({ alert, sent }) => [alert, grouped(sent)])),
  ]
}

function accountLines({ accounts, before, after }: ModelDiff): Line[] {
  const { shown, count: all } = accounts
  if (all === 0) return []
  const part =
    shown.length === all ? '' : ` (${grouped(shown.length)} of ${grouped(all)}; --limit lists more)`
  const models = [after.model, ...before.map(({ model }) => model)]
  return [
    [{ text: `Accounts that change a tier or a PQL${part}`, style: 'bold' }],
    ...shown.flatMap(each => accountDiffLines(each, models)),
  ]
}
