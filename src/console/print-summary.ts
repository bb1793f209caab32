import { MOTIONS, type Motion } from '../scoring/definition/model-definition.ts'
import { accountTitle, type ConsoleContext, motionTitle, tierTitle, usableWidth } from './console-context.ts'
import { counted, grouped } from './format.ts'
import { renderSections, type Segment, type Style } from './styled-lines.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

/** How the accounts stand in one model at one moment. */
export interface WorkspaceSummary {
  readonly modelId: string
  /** How many accounts each tier has, by its name; a missing tier has none. */
  readonly tiers: Readonly<Record<string, number>>
  readonly pqls: readonly { readonly motion: Motion; readonly status: 'open' | 'held' }[]
  /** Highest score first; at most five are shown. */
  readonly top: readonly TopAccount[]
}

export interface TopAccount {
  readonly accountId: string
  readonly score: number
  readonly tier: string
  /** The motions of its open PQLs. */
  readonly openPqls: readonly Motion[]
}

const SHOWN_ACCOUNTS = 5
const INDENT = '  '

/**
 * The summary at start: a table of the main model, and a line for each other model. Without the main model,
 * the first one gets the table. No line is longer than `context.width` (60 at least). No newline at the end.
 */
export function formatSummaries(summaries: readonly WorkspaceSummary[], context: ConsoleContext): string {
  const main = summaries.find(({ modelId }) => modelId === context.mainModelId) ?? summaries[0]
  if (main === undefined) return ''
  const others = summaries.filter(summary => summary !== main)
  const sections = [formatSummary(main, context)]
  if (others.length > 0) sections.push(layOut([otherModelLines(others, context)], context))
  return sections.join('\n\n')
}

/**
 * One model: accounts by tier with a bar, open and held PQLs by motion, and the accounts with the highest
 * scores.
 */
export function formatSummary(summary: WorkspaceSummary, context: ConsoleContext): string {
  const width = usableWidth(context)
  return layOut(
    [tierLines(summary, context, width), pqlLines(summary, context), topLines(summary, context, width)],
    context,
  )
}

function layOut(sections: readonly Segment[][][], context: ConsoleContext): string {
  const indented = sections.map(lines => lines.map(line => [INDENT, ...line]))
  return renderSections(indented, { width: usableWidth(context), color: context.color })
}

/** One line for each model: how many accounts are in each tier above the lowest, and its open PQLs. */
function otherModelLines(summaries: readonly WorkspaceSummary[], context: ConsoleContext): Segment[][] {
  const rows = summaries.map(summary => ({ summary, model: context.model(summary.modelId) }))
  const titles = rows.map(({ summary, model }) => plainText(model?.name ?? summary.modelId))
  const titleWidth = Math.min(36, Math.max(...titles.map(textWidth)))
  return [
    [{ text: rows.length === 1 ? 'The other model' : 'The other models', style: 'bold' }],
    ...rows.map(({ summary, model }, i): Segment[] => {
      const tiers = model?.tiers.slice(1).reverse() ?? []
      const open = summary.pqls.filter(({ status }) => status === 'open').length
      const counts = tiers.map(
        ({ name, title }, t): Segment => ({
          text: `${t === 0 ? '' : ', '}${grouped(summary.tiers[name] ?? 0)} ${plainText(title).toLowerCase()}`,
          style: TIER_STYLES[Math.min(t, TIER_STYLES.length - 1)]!,
        }),
      )
      const pqls: Segment[] =
        open === 0 ? [] : [{ text: ` · ${counted(open, 'open PQL')}`, style: 'magenta' }]
      return [column(titles[i]!, titleWidth), INDENT, ...counts, ...pqls]
    }),
  ]
}

const TITLE_WIDTH = 20
const NUMBER_WIDTH = 6
const BAR_WIDTH = 24

function tierLines(summary: WorkspaceSummary, context: ConsoleContext, width: number): Segment[][] {
  const model = context.model(summary.modelId)
  const names = model?.tiers.map(({ name }) => name).reverse() ?? Object.keys(summary.tiers)
  const counts = names.map(name => summary.tiers[name] ?? 0)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const most = Math.max(...counts, 1)
  const rows = names.map((name, i): Segment[] => {
    const count = counts[i]!
    const style = TIER_STYLES[Math.min(i, TIER_STYLES.length - 1)]!
    const percent = total === 0 ? 0 : Math.round((count / total) * 100)
    const action = plainText(model?.tiers.find(tier => tier.name === name)?.action ?? '')
    const filled = bar(count / most, BAR_WIDTH)
    const empty = ' '.repeat(BAR_WIDTH - textWidth(filled))
    return [
      { text: column(tierTitle(name, model), TITLE_WIDTH), style },
      column(grouped(count), NUMBER_WIDTH, 'right'),
      { text: column(`${percent}%`, 5, 'right'), style: 'dim' },
      INDENT,
      { text: filled, style },
      // What to do with a tier's accounts, if the terminal has room for more than its first words.
      ...(width >= WIDE ? [empty, INDENT, { text: action, style: 'dim' } as const] : []),
    ]
  })
  const title = plainText(model?.name ?? summary.modelId)
  return [
    [
      { text: title, style: 'bold' },
      { text: ` · ${counted(total, 'account')}`, style: 'dim' },
    ],
    ...rows,
  ]
}

const WIDE = 100
const TIER_STYLES: readonly Style[] = ['green', 'cyan', 'blue', 'gray']

function pqlLines({ pqls, modelId }: WorkspaceSummary, context: ConsoleContext): Segment[][] {
  const countOf = (motion: Motion, status: 'open' | 'held'): number =>
    pqls.filter(pql => pql.motion === motion && pql.status === status).length
  const rows = MOTIONS.map(motion => ({
    motion,
    open: countOf(motion, 'open'),
    held: countOf(motion, 'held'),
  })).filter(({ open, held }) => open + held > 0)
  const open = rows.reduce((sum, row) => sum + row.open, 0)
  const held = rows.reduce((sum, row) => sum + row.held, 0)
  const most = Math.max(...rows.map(row => row.open), 1)
  const gates = context.model(modelId)?.gates.map(({ title, name }) => plainText(title || name)) ?? []
  const until = gates.length === 0 ? '' : ` until: ${gates.join('; ')}`
  const heldText = held === 0 ? '' : ` · ${grouped(held)} held${until}`
  return [
    [
      { text: counted(open, 'open PQL'), style: 'bold' },
      { text: heldText, style: 'yellow' },
    ],
    ...rows.map((row): Segment[] => [
      column(motionTitle(row.motion), TITLE_WIDTH),
      column(grouped(row.open), NUMBER_WIDTH, 'right'),
      { text: column(row.held === 0 ? '' : `+${grouped(row.held)}`, 5, 'right'), style: 'yellow' },
      INDENT,
      { text: bar(row.open / most, BAR_WIDTH), style: 'magenta' },
    ]),
  ]
}

function topLines({ top, modelId }: WorkspaceSummary, context: ConsoleContext, width: number): Segment[][] {
  if (top.length === 0) return []
  const model = context.model(modelId)
  const accountWidth = Math.min(32, Math.floor((width - 40) * 0.5) + 4)
  return [
    [{ text: 'Highest scores', style: 'bold' }],
    ...top
      .slice(0, SHOWN_ACCOUNTS)
      .map(({ accountId, score, tier, openPqls }): Segment[] => [
        { text: column(score.toFixed(model?.score.decimals ?? 0), 5, 'right'), style: 'bold' },
        INDENT,
        column(accountTitle(accountId, context), accountWidth),
        INDENT,
        { text: column(tierTitle(tier, model), 16), style: 'dim' },
        INDENT,
        { text: [...new Set(openPqls)].map(motionTitle).join(', '), style: 'magenta' },
      ]),
  ]
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const

/** A bar of up to `width` columns, in eighths of a column; any share above 0 is visible. */
function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  const shown = share > 0 ? Math.max(1, eighths) : 0
  return '█'.repeat(Math.floor(shown / 8)) + EIGHTHS[shown % 8]
}
