/** A model that uses every key of the model language. */
export const FULL = `id: full
version: 1
name: Full
score: { scale: 10, max: 100 }
features:
  seats: { latest: contract.seats }
  users: { distinctUsers: { within: 30d } }
  plan: { latest: contract.plan, type: text, default: free }
  trial: { latest: contract.trial, type: flag, default: false }
  decayed: { count: { of: intent, names: pricing.viewed, within: 90d, halfLife: 14d } }
  recent: { sum: { of: [usage, intent], names: [a, b.*], except: b.c, within: 48h, halfLife: 12h } }
  own: { distinctNames: { of: usage, names: feature.*, except: [feature.preview.*], within: 30d } }
  days: { activeDays: { within: 24h } }
  power: { powerUsers: { days: 12, within: 30d } }
  teams: { distinctValues: { of: team, within: 30d } }
  newRoles: { newValues: { of: role, within: 30d } }
  over: { daysSustained: { of: traits.planUsage, per: contract.limit, above: 0.8, to: 90 } }
  months: { periodsSustained: { sum: { of: usage, names: api.called }, per: contract.limit, every: 30d, from: 0.8, to: 3 } }
  roles: { knownKeys: { of: traits.stakeholder.*, within: 180d } }
  renewal: { daysUntil: { date: contract.renewalDate, from: -30, to: 90, every: year } }
  silence: { daysSinceSignal: { of: usage, except: login, to: 90 } }
  growth: { growth: { count: { of: usage, except: login }, within: 30d } }
  share: { ratio: [users, seats] }
  most: { largest: [share, months] }
  adoption:
    formula: "share * 100 + own" # @feature
  isLarge: { formula: adoption > 50 && plan != "free" }
groups:
  usage:
    weight: 1
    max: 10
    rules:
      views: { each: { of: decayed, points: 2, max: 10 }, missing: exclude }
      adopted: { line: { of: adoption, corners: [[0, 0], [100, 10]] } }
      large: { when: isLarge, points: 3 }
      many: { of: users, bands: [{ from: 1, points: 1 }, { above: 5, points: 3 }], below: 0 }
      choice: { cases: [{ when: trial, points: 1 }, { otherwise: { line: { of: over, corners: [[1, 1]] } } }] }
tiers:
  - { name: low, title: Low, from: 0, action: Wait }
  - { name: high, from: 50, queue: expansion }
tierPolicy: { margin: 2, dwell: 7d }
gates:
  health: { title: Health, open: seats > 1, missing: open }
triggers:
  t:
    motion: cross-sell
    when: isLarge || score > 50
    gates: [health]
    cooldown: 30d
    expiry: 90d
    reason: "Large: {isLarge}"
    play: [Look, Ask]
    decisionTimeline: soon
    offer: Analytics
    confidence: "score / 100" # @confidence
    value: seats * 12
alerts:
  high-usage:
    title: Usage is high
    when: "months >= 2 && tier == 'high'" # @alert
    gates: [health]
    frequency: 7d
    reason: Why
    recipients: [csm]
    template: high
    priority: high
    assignee: csm
    action: Call
facets: { plan: contract.plan }
accounts:
  include:
    when: "plan != 'test'" # @accounts
    ids: [acme]
  exclude: { ids: [test-1] }
rates:
  intent: { title: Intent, of: intent, names: [a], except: b, by: { stage: { of: traits.stage, values: [x, y] } } }
kpis:
  csm: traits.csm
  measures:
    won: { count: won, where: { motion: [cross-sell, renewal-upgrade] }, over: until }
    value: { sum: [won, lost.*], property: amount }
    pqls: { pqls: created }
    customers: { accounts: seen, over: until }
    quota: { fixed: 120000 }
  metrics:
    coverage:
      title: Coverage
      formula: "value / quota" # @metric
      unit: ratio
      target: "> 3"
examples:
  - title: Many users
    at: 2026-06-30T12:00:00Z
    account: acme
    given:
      - { contract: { seats: 10, plan: null }, daysAgo: 60 }
      - { usage: feature.a, daysAgo: 0-9, times: 2, users: 3 }
      - { intent: pricing.viewed, quantity: 2.5, user: kim, properties: { team: ops, role: admin } }
    expect:
      { score: 100, tier: high, pqls: [], held: [t], alerts: [high-usage], coverage: 1, groups: { usage: 10 }, features: { share: null } }
`
