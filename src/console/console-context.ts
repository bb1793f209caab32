import type { ModelDefinition, Motion } from '../scoring/definition/model-definition.ts'
import type { Contribution, TierChange } from '../scoring/events.ts'
import { plainText } from './terminal-text.ts'

/** What printing needs to know about the workspace and the terminal. */
export interface ConsoleContext {
  /** The account's name, if it is known. */
  title(accountId: string): string | undefined
  /** The model in its active version. */
  model(modelId: string): ModelDefinition | undefined
  /**
   * The model that the reader watches. Events of other models show their model's name; if undefined, no event
   * does.
   */
  readonly mainModelId?: string
  /** The contributions before a tier change, if known: then its line says what moved. */
  contributionsBefore?(event: TierChange): readonly Contribution[] | undefined
  /** Columns of the terminal. */
  readonly width: number
  readonly color: boolean
  /** ms. Events of another UTC day show their date instead of the time. */
  readonly now: number
}

/** A narrower line cannot hold its columns: the terminal wraps it. */
const MIN_WIDTH = 60

export function usableWidth({ width }: ConsoleContext): number {
  return Number.isFinite(width) ? Math.max(MIN_WIDTH, Math.floor(width)) : MIN_WIDTH
}

export function accountTitle(accountId: string, context: ConsoleContext): string {
  return plainText(context.title(accountId) ?? '') || plainText(accountId) || '(unnamed)'
}

export function tierTitle(tier: string, model: ModelDefinition | undefined): string {
  return plainText(model?.tiers.find(({ name }) => name === tier)?.title ?? tier)
}

export function motionTitle(motion: Motion): string {
  return MOTION_TITLES[motion]
}

const MOTION_TITLES: Readonly<Record<Motion, string>> = {
  'seat-expansion': 'Seat expansion',
  'plan-upgrade': 'Plan upgrade',
  'cross-sell': 'Cross-sell',
  'feature-expansion': 'Feature expansion',
  'usage-upsell': 'Usage upsell',
  'renewal-upgrade': 'Renewal upgrade',
}
