import { type AccountDiff, changesTier, type RuleDiff } from '../analysis/diff-account.ts'
import type { ModelDefinition } from '../scoring/definition/model-definition.ts'
import type { PqlStatus } from '../scoring/events.ts'
import { counted, formatAmount, formatInputs } from './format.ts'
import type { Segment } from './styled-lines.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

/** Further rules of one account are only counted. */
const SHOWN_RULES = 4
const WIDEST_TITLE = 44

/** One account: its tier and score before and after, then why. `models`: the versions, for titles. */
export function accountDiffLines(diff: AccountDiff, models: readonly ModelDefinition[]): Segment[][] {
  const { accountId, tier, score } = diff
  const moved = changesTier(diff)
  const tiers = moved
    ? `${titleOfTier(tier.before, models)} → ${titleOfTier(tier.after, models)}`
    : titleOfTier(tier.after, models)
  const scores =
    score.before === score.after
      ? `score ${formatAmount(score.after)}`
      : `score ${formatAmount(score.before)} → ${formatAmount(score.after)}`
  return [
    [
      '  ',
      { text: plainText(accountId) || '(unnamed)', style: 'bold' },
      `  ${tiers}`,
      { text: `  ${scores}`, style: moved ? 'reset' : 'dim' },
    ],
    ...laterLines(diff, models),
    ...ruleLines(diff),
    ...remarks(diff).map((text): Segment[] => [`      ${text}`]),
    ...noticeLines(diff),
  ]
}

function laterLines({ tierLater }: AccountDiff, models: readonly ModelDefinition[]): Segment[][] {
  if (tierLater === null) return []
  const day = new Date(tierLater.at).toISOString()
  return [
    [
      `      → ${titleOfTier(tierLater.tier, models)}`,
      { text: ` when the dwell ends, ${day}`, style: 'dim' },
    ],
  ]
}

/** The tier's title in the first version that has the tier. */
export function titleOfTier(tier: string, models: readonly ModelDefinition[]): string {
  for (const { tiers } of models) {
    const found = tiers.find(({ name }) => name === tier)
    if (found !== undefined) return plainText(found.title) || plainText(tier)
  }
  return plainText(tier)
}

function ruleLines({ rules }: AccountDiff): Segment[][] {
  // A rule that is new or gone but adds nothing explains nothing.
  const moved = rules.filter(({ change }) => change !== 0)
  const shown = moved.slice(0, SHOWN_RULES)
  const titles = shown.map(labelOf)
  const width = Math.min(WIDEST_TITLE, Math.max(0, ...titles.map(textWidth)))
  const lines = shown.map(({ before, after, change }, i): Segment[] => {
    const from = before === null ? 'none' : formatShort(before.contribution)
    const to = after === null ? 'none' : formatShort(after.contribution)
    const inputs = inputsText({ before, after })
    return [
      `      ${column(titles[i]!, width)}  ${column(`${from} → ${to}`, 15)}`,
      { text: column(signed(change), 8, 'right'), style: change > 0 ? 'green' : 'red' },
      { text: inputs === '' ? '' : `   ${inputs}`, style: 'dim' },
    ]
  })
  const more = moved.length - shown.length
  if (more > 0) lines.push([{ text: `      and ${counted(more, 'more rule')}`, style: 'dim' }])
  return lines
}

/** Two decimals; an amount below 0.005 is shown in full. */
function formatShort(amount: number): string {
  const rounded = Math.round(amount * 100) / 100
  return formatAmount(rounded === 0 ? amount : rounded)
}

function signed(amount: number): string {
  return amount > 0 ? `+${formatShort(amount)}` : formatShort(amount)
}

function labelOf({ title, rule, status }: RuleDiff): string {
  const text = plainText(title) || plainText(rule)
  return status === 'changed' ? text : `${status}: ${text}`
}

/** The values that the rule reads; both, if the versions compute them differently. */
function inputsText({ before, after }: Pick<RuleDiff, 'before' | 'after'>): string {
  const [old, now] = [before?.inputs, after?.inputs]
  if (old === undefined || now === undefined) return formatInputs((now ?? old)!)
  return Object.keys({ ...old, ...now })
    .map(name => {
      const [was, is] = [textOf(old, name), textOf(now, name)]
      if (was === undefined || is === undefined || was === is) return (is ?? was)!
      return `${was} → ${is.slice(name.length + 1)}`
    })
    .join(', ')
}

/** `users 3`; undefined if the rule does not read it. */
function textOf(inputs: Parameters<typeof formatInputs>[0], name: string): string | undefined {
  return Object.hasOwn(inputs, name) ? formatInputs({ [name]: inputs[name]! }) : undefined
}

/** Reasons that no rule shows. */
function remarks(diff: AccountDiff): string[] {
  const { inScope, isSetByHand, rules, score } = diff
  const reasons: string[] = []
  if (inScope.before !== inScope.after)
    reasons.push(inScope.after ? 'comes into the scope of the model' : 'leaves the scope of the model')
  if (isSetByHand) reasons.push('a person has set its score or tier')
  if (reasons.length > 0 || rules.some(({ change }) => change !== 0)) return reasons
  if (score.before !== score.after)
    return ['its rules give the same points; the groups or the range of the score changed']
  return changesTier(diff) ? ['its score stays the same; the tiers or the tier policy changed'] : []
}

const PQL_CHANGES: Readonly<Record<PqlStatus, string>> = {
  qualified: 'PQL opens',
  released: 'PQL released',
  held: 'PQL held',
  disqualified: 'PQL closes',
  expired: 'PQL expires',
}

function noticeLines({ pqls, alerts }: AccountDiff): Segment[][] {
  return [
    ...pqls.map(({ trigger, status, motion }): Segment[] => [
      `      ${PQL_CHANGES[status]}: ${plainText(trigger)}`,
      { text: ` (${motion})`, style: 'dim' },
    ]),
    ...alerts.map((alert): Segment[] => [`      alert sent: ${plainText(alert)}`]),
  ]
}
