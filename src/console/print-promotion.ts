import type { ModelEffect, PromotionEffect } from '../analysis/promotion-effect.ts'
import { counted, grouped } from './format.ts'
import { type Line, type LineLook, renderSections, table } from './styled-lines.ts'

/** The lineages of a promotion, by their names for people. */
export interface PromotionHead {
  /** The replay that would serve. */
  readonly replay: string
  /** The namespace that serves now. */
  readonly served: string
  /** How many records the replay has not copied or scored yet. */
  readonly behind: number
}

/** What a promotion changes, for the person who decides. No newline at the end. */
export function formatPromotion(
  { replay, served, behind }: PromotionHead,
  { models, accounts, tierChanges, pqlEvents }: PromotionEffect,
  look: LineLook,
): string {
  const notes: string[] = []
  const ending = models.filter(({ next }) => next === undefined)
  if (ending.length > 0) notes.push(describeEnd(ending, models))
  notes.push(describeEvents(behind, tierChanges, pqlEvents), CANNOT_BE_UNDONE)
  const title = `If ${replay} serves in place of ${served} (${counted(accounts, 'account')} compared):`
  const sections: Line[][] = [[[title]], modelTable(models), notes.map(note => [note])]
  return renderSections(sections, { ...look, width: Number.POSITIVE_INFINITY })
}

const CANNOT_BE_UNDONE =
  'This cannot be undone. To go back, replay the log with the old models and promote that; it announces the differences once more.'

function describeEnd(ending: readonly ModelEffect[], models: readonly ModelEffect[]): string {
  const pqls = ending.reduce((sum, model) => sum + model.pqls, 0)
  const present = models.filter(({ current }) => current !== undefined).length
  const [these, them] = ending.length === 1 ? ['this model', 'it'] : ['these models', 'them']
  return `${grouped(ending.length)} of ${counted(present, 'model')} would end, and ${counted(pqls, 'PQL')} with ${them}. There would be no more events of ${these}, and the API would not know ${them}. To keep a model, name its file in "upswell replay --model".`
}

/** So few offsets can be markers of transactions, which change nothing. */
const FEW_BEHIND = 100

function describeEvents(behind: number, tierChanges: number, pqlEvents: number): string {
  const rest =
    behind <= FEW_BEHIND ? '' : ` The replay is ${counted(behind, 'record')} behind, which may change this.`
  const events = tierChanges + pqlEvents
  if (events === 0) return `Subscribers would get no events.${rest}`
  return `Subscribers would get about ${counted(events, 'event')} at once: ${counted(tierChanges, 'tier change')} and ${counted(pqlEvents, 'PQL event')}.${rest}`
}

function modelTable(models: readonly ModelEffect[]): Line[] {
  const head = ['model', 'now', 'then', 'accounts', 'open and held PQLs', 'of them end', 'PQLs begin']
  const rows = models.map(model => [
    { text: model.modelId, style: 'bold' } as const,
    model.current === undefined ? '–' : `v${model.current}`,
    thenOf(model),
    grouped(model.accounts),
    grouped(model.pqls),
    grouped(model.pqlsEnded),
    grouped(model.pqlsBegun),
  ])
  return table([head, ...rows])
}

function thenOf({ current, next, isSame }: ModelEffect) {
  if (next === undefined) return { text: 'ends', style: 'red' } as const
  if (current === undefined) return `begins, v${next}`
  if (current !== next) return `v${next}`
  return isSame ? 'the same' : `v${next}, edited`
}
