import {
  hasEqualLives,
  type ModelRunDiff,
  type MovedAccount,
  type PqlInBothRuns,
  type PqlInOneRun,
  type PqlLife,
} from '../analysis/run-diff.ts'
import { formatShift, grouped } from './format.ts'
import type { Segment } from './styled-lines.ts'
import { column, plainText, textWidth } from './terminal-text.ts'

/** Ids and names come from outside: they can be long. */
const WIDEST_NAME = 40

/** The accounts and PQLs that differ: at most `limit` of each kind, the latest first. */
export function runDiffLists(
  { tiers, pqls }: ModelRunDiff,
  titleOf: (tier: string) => string,
  limit: number,
): Segment[][][] {
  const { both, onlyLive, onlyReplay } = pqls.lists
  const unlike = both.filter(pql => !hasEqualLives(pql))
  return [
    list('Accounts in another tier', tiers.movedAccounts, limit, account => movedTexts(account, titleOf)),
    list('PQLs that only live has', onlyLive, limit, onePqlTexts),
    list('PQLs that only the replay has', onlyReplay, limit, onePqlTexts),
    list('PQLs that both have, but not alike', unlike, limit, sharedPqlTexts),
  ]
}

/** `textsOf` gives the cells of a row; the first is bold. */
function list<T>(
  title: string,
  all: readonly T[],
  limit: number,
  textsOf: (one: T) => readonly string[],
): Segment[][] {
  if (all.length === 0) return []
  const shown = all.slice(0, limit).map(textsOf)
  const part =
    shown.length === all.length
      ? ` (${grouped(all.length)})`
      : ` (${grouped(shown.length)} of ${grouped(all.length)}; --limit lists more)`
  const widths = shown[0]!.map((_, i) => Math.max(...shown.map(texts => textWidth(texts[i]!))))
  return [
    [{ text: title, style: 'bold' }, part],
    ...shown.map(texts =>
      texts.map((text, i): Segment => {
        const aligned = `  ${column(text, i < 2 ? Math.min(WIDEST_NAME, widths[i]!) : widths[i]!)}`
        return i === 0 ? { text: aligned, style: 'bold' } : aligned
      }),
    ),
  ]
}

function movedTexts({ accountId, tier, since }: MovedAccount, titleOf: (tier: string) => string): string[] {
  return [
    nameOf(accountId),
    `${titleOf(tier.live)} → ${titleOf(tier.replay)}`,
    `live ${sinceText(since.live)}`,
    `replay ${sinceText(since.replay)}`,
  ]
}

function sinceText(since: number | null): string {
  return since === null ? 'from before' : `since ${minute(since)}`
}

function onePqlTexts(pql: PqlInOneRun): string[] {
  return [nameOf(pql.accountId), triggerText(pql), lifeText(pql)]
}

function sharedPqlTexts(pql: PqlInBothRuns): string[] {
  const { life, shiftMs } = pql
  return [
    nameOf(pql.accountId),
    triggerText(pql),
    formatShift(shiftMs),
    `live ${lifeText(life.live)}`,
    `replay ${lifeText(life.replay)}`,
  ]
}

function nameOf(accountId: string): string {
  return plainText(accountId) || '(unnamed)'
}

function triggerText({ trigger, motion }: PqlInOneRun | PqlInBothRuns): string {
  return `${plainText(trigger)} (${motion})`
}

function lifeText({ start, end, held }: PqlLife): string {
  return `${minute(start)} – ${end === null ? 'open' : minute(end)}${held ? ', held' : ''}`
}

/** UTC, as all times of the text. */
function minute(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}
