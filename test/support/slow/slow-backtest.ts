import type { Motion } from '../../../src/scoring/definition/model-definition.ts'

/** A slow, obvious backtest: it looks at every pair of a prediction and a win. */

const DAY_MS = 86_400_000

/** One fact about an account. The facts of an account are in the order of its log. */
export type Fact = { readonly account: string; readonly at: number } & (
  | { readonly type: 'month'; readonly tier: number | undefined }
  | { readonly type: 'pql'; readonly trigger: number }
  | { readonly type: 'win'; readonly tier: number; readonly inScope: boolean; readonly motion: unknown }
)

interface Setting {
  readonly tiers: readonly { readonly name: string }[]
  readonly triggers: readonly { readonly name: string; readonly motion: Motion }[]
  readonly horizonMs: number
  readonly end: number
}

export function slowBacktest(facts: readonly Fact[], { tiers, triggers, horizonMs, end }: Setting) {
  const all = facts.map((fact, position) => ({ ...fact, position }))
  const wins = all.filter(fact => fact.type === 'win')
  const months = all.filter(fact => fact.type === 'month')
  const pqls = all.filter(fact => fact.type === 'pql')
  type Positioned = { readonly account: string; readonly at: number; readonly position: number }
  const leadsTo = (prediction: Positioned, win: Positioned): boolean =>
    prediction.account === win.account &&
    prediction.position < win.position &&
    win.at - prediction.at <= horizonMs
  const isJudged = ({ at }: Positioned): boolean => at + horizonMs <= end
  const share = (part: number, whole: number): number | null =>
    whole === 0 ? null : Math.round((part / whole) * 1e6) / 1e6

  const judgedMonths = months.filter(month => month.tier !== undefined && isJudged(month))
  const isFollowed = (prediction: Positioned): boolean => wins.some(win => leadsTo(prediction, win))
  const monthShare = (of: typeof judgedMonths) => ({
    accountMonths: of.length,
    followed: of.filter(isFollowed).length,
    share: share(of.filter(isFollowed).length, of.length),
  })
  const score = (ofPqls: typeof pqls, ofWins: typeof wins) => {
    const inScope = ofWins.filter(win => win.inScope)
    const judged = ofPqls.filter(isJudged)
    const followed = judged.filter(pql => ofWins.some(win => leadsTo(pql, win)))
    const leads = inScope
      .map(win => ofPqls.filter(pql => leadsTo(pql, win)).map(pql => win.at - pql.at))
      .filter(each => each.length > 0)
      .map(each => Math.floor(Math.max(...each) / DAY_MS))
      .sort((a, b) => a - b)
    const rank = (quarters: number): number => leads[Math.ceil((leads.length * quarters) / 4) - 1]!
    return {
      opened: ofPqls.length,
      judged: judged.length,
      followed: followed.length,
      precision: share(followed.length, judged.length),
      preceded: leads.length,
      recall: share(leads.length, inScope.length),
      leadDays:
        leads.length === 0 ? null : { lowerQuartile: rank(1), median: rank(2), upperQuartile: rank(3) },
    }
  }
  const overall = monthShare(judgedMonths)
  return {
    wins: {
      count: wins.length,
      outOfScope: wins.filter(win => !win.inScope).length,
      withMotion: wins.filter(win => triggers.some(({ motion }) => motion === win.motion)).length,
    },
    months: {
      ...overall,
      beyondEnd: months.filter(month => month.tier !== undefined && !isJudged(month)).length,
      outOfScope: months.filter(month => month.tier === undefined).length,
    },
    tiers: tiers.map(({ name }, tier) => {
      const own = monthShare(judgedMonths.filter(month => month.tier === tier))
      return {
        tier: name,
        ...own,
        lift:
          own.share === null
            ? null
            : share(own.followed / own.accountMonths, overall.followed / overall.accountMonths),
        wins: wins.filter(win => win.inScope && win.tier === tier).length,
      }
    }),
    pqls: score(pqls, wins),
    triggers: triggers.map(({ name, motion }, trigger) => ({
      trigger: name,
      motion,
      ...score(
        pqls.filter(pql => pql.trigger === trigger),
        wins,
      ),
    })),
    motions: [...new Set(triggers.map(each => each.motion))].map(motion => {
      const same = wins.filter(win => win.motion === motion)
      return {
        motion,
        wins: same.filter(win => win.inScope).length,
        ...score(
          pqls.filter(pql => triggers[pql.trigger]!.motion === motion),
          same,
        ),
      }
    }),
  }
}
