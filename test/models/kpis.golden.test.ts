import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { parseModel } from '../../src/models/parse-model.ts'
import type { KpiSection } from '../../src/scoring/definition/model-definition.ts'
import { evaluateKpis } from '../../src/scoring/population/read-kpis.ts'

/** Each formula and target in the definitions of the KPIs is a row here. */

function sectionOf(model: string): KpiSection {
  const file = `models/${model}.yaml`
  return parseModel(readFileSync(join(PACKAGE_ROOT, file), 'utf8'), file).kpis!
}

/** The KPIs for these measures. Measures that are not named are 0. */
function figures(section: KpiSection, measures: Record<string, number>): Record<string, unknown[]> {
  const names = section.measures.map(({ name }) => name)
  for (const name of Object.keys(measures)) expect(names).toContain(name)
  const values = new Map(names.map(name => [name, measures[name] ?? 0]))
  return Object.fromEntries(
    evaluateKpis(section, values).map(({ definition, value, isMet }) => [definition.name, [value, isMet]]),
  )
}

describe('the five metrics of the operating loop', () => {
  const section = sectionOf('expansion-revenue-score')
  const rows: [name: string, measures: Record<string, number>, value: number | undefined, isMet?: boolean][] =
    [
      // Opportunities created / quota, more than 3 times.
      ['pipeline-coverage', { opportunityArr: 300_000, quota: 100_000 }, 3, false],
      ['pipeline-coverage', { opportunityArr: 300_001, quota: 100_000 }, 3.00001, true],
      // Conversations / PQLs created, more than 30 %.
      ['pql-to-opportunity', { conversations: 3, newPqls: 10 }, 30, false],
      ['pql-to-opportunity', { conversations: 31, newPqls: 100 }, 31, true],
      ['pql-to-opportunity', { conversations: 3, newPqls: 0 }, undefined],
      // Closed / conversations, more than 40 %.
      ['opportunity-to-close', { deals: 4, conversations: 10 }, 40, false],
      ['opportunity-to-close', { deals: 41, conversations: 100 }, 41, true],
      // Total expansion ARR / deals, watched by tier.
      ['average-deal-size', { expansionArr: 90_000, deals: 4 }, 22_500],
      // Expansion ARR / (new ARR + expansion ARR), more than 30 %.
      ['expansion-share', { expansionArr: 30, newArr: 70 }, 30, false],
      ['expansion-share', { expansionArr: 31, newArr: 69 }, 31, true],
    ]
  it.each(rows)('%s of %o is %d', (name, measures, value, isMet) => {
    expect(figures(section, measures)[name]).toEqual([value, isMet])
  })

  it('count the signals in the definition', () => {
    expect(section.csmKey).toBe('traits.csm')
    expect(
      section.measures.map(measure => [
        measure.name,
        measure.type,
        'names' in measure ? measure.names : null,
      ]),
    ).toEqual([
      ['opportunityArr', 'sum', ['opportunity.created']],
      ['quota', 'fixed', null],
      ['newPqls', 'pqls', null],
      ['conversations', 'count', ['conversation.held']],
      ['deals', 'count', ['deal.won']],
      ['expansionArr', 'sum', ['deal.won']],
      ['newArr', 'sum', ['arr.new']],
    ])
  })
})

describe('the KPIs of the tracker', () => {
  const section = sectionOf('expansion-opportunity-tracker')
  const BEGINNING = {
    startedMrr: 90_000,
    earlierExpansion: 20_000,
    earlierContraction: 6_000,
    earlierChurn: 4_000,
  }
  const rows: [name: string, measures: Record<string, number>, value: number | undefined, isMet?: boolean][] =
    [
      // (beginning + expansion - contraction - churn) / beginning; above 100 % the customer base grows by
      // itself.
      [
        'net-revenue-retention',
        { ...BEGINNING, expansionMrr: 5_000, contractionMrr: 2_000, churnMrr: 1_000 },
        102,
        true,
      ],
      [
        'net-revenue-retention',
        { ...BEGINNING, expansionMrr: 3_000, contractionMrr: 2_000, churnMrr: 1_000 },
        100,
        false,
      ],
      ['net-revenue-retention', { expansionMrr: 3_000 }, undefined],
      ['expansion-rate', { ...BEGINNING, expansionMrr: 5_000 }, 5],
      // The playbook: 35 % conversion, 40 % larger deals, closed in under 30 days.
      ['upsell-conversion', { upsellDeals: 35, upsellOpportunities: 100 }, 35, true],
      ['upsell-conversion', { upsellDeals: 34, upsellOpportunities: 100 }, 34, false],
      ['deal-size-increase', { sizeIncrease: 120, deals: 3 }, 40, true],
      ['deal-size-increase', { sizeIncrease: 119, deals: 3 }, 39.666667, false],
      ['time-to-close', { daysToClose: 89, deals: 3 }, 29.666667, true],
      ['time-to-close', { daysToClose: 90, deals: 3 }, 30, false],
      ['cross-sell-attach-rate', { crossSellDeals: 6, accounts: 40 }, 15],
      ['pipeline-value', { openedValue: 100_000, wonOpportunityValue: 30_000, lostValue: 25_000 }, 45_000],
      ['average-expansion-size', { wonMrr: 6_000, deals: 4 }, 1_500],
    ]
  it.each(rows)('%s of %o is %d', (name, measures, value, isMet) => {
    expect(figures(section, measures)[name]).toEqual([value, isMet])
  })

  it('each have a row here', () => {
    expect(new Set(rows.map(([name]) => name))).toEqual(new Set(section.kpis.map(({ name }) => name)))
  })
})
