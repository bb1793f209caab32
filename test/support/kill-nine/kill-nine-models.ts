/**
 * Two models for the crash test, and another version of one. They use all that a crash
 * could spoil: users, windows, latest values, a dwell that the wall clock ends, gates, triggers, alerts,
 * facets, rates and key figures.
 * No windows in hours: with several writers, times can go back over a full hour, and ticks between
 * them would decide.
 */
const PULSE = `
name: Pulse
score: { scale: 10, max: 100 }
features:
  activeUsers: { distinctUsers: { within: 7d } }
  invites: { count: { of: usage, names: seat.invited, within: 3d } }
  exported: { sum: { of: usage, names: report.exported, within: 30d } }
  asks: { count: { of: intent, within: 5d } }
  seats: { latest: contract.seats }
  utilization: { ratio: [activeUsers, seats] }
  nps: { latest: health.nps }
  seatGrowth: { growth: { of: contract.seats, within: 14d } }
`

const GROUPS = `
groups:
  usage:
    weight: USAGE_WEIGHT
    max: 10
    rules:
      breadth:
        title: Users per seat
        missing: exclude
        line: { of: utilization, corners: [[0, 0], [1, 6]] }
      inviting:
        of: invites
        bands: [{ from: 1, points: 2 }, { from: 3, points: 5 }]
      exporting: { line: { of: exported, corners: [[0, 0], [20, 5]] } }
  interest:
    weight: INTEREST_WEIGHT
    max: 10
    rules:
      asking: { line: { of: asks, corners: [[0, 0], [4, 10]] } }
      mood: { when: nps >= 50, points: 4, missing: 1 }
tiers:
  - { name: cold, from: 0 }
  - { name: warm, from: 25, action: Send the benefits mail }
  - { name: hot, from: 55, action: Call the sponsor }
tierPolicy: { margin: 3, dwell: 1m }
gates:
  content: { title: Customer is content, open: nps >= 20, missing: open }
triggers:
  seats-full:
    motion: seat-expansion
    when: utilization >= 0.6
    cooldown: 1h
    expiry: 36h
    reason: '{utilization%} of the seats are used'
    play: [Offer ten more seats, Ask for the budget]
    decisionTimeline: two weeks
  inviting:
    motion: plan-upgrade
    when: invites >= INVITES
    gates: []
    cooldown: 1h
    expiry: 2d
    reason: '{invites} invites in 3 days'
alerts:
  unhappy:
    title: Customer is unhappy
    when: nps < 20
    frequency: 12h
    reason: the NPS is {nps}
    recipients: [csm@example.com]
    priority: high
  growing:
    title: Seats grow
    when: seatGrowth > 0.2 && score > 20
    gates: [content]
    frequency: 1d
    reason: seats grew by {seatGrowth%}
facets: { region: traits.region }
rates:
  invitation-rate:
    title: Accounts that invite
    of: usage
    names: seat.invited
    by:
      region: { of: traits.region, values: [emea, apac] }
kpis:
  csm: traits.csm
  measures:
    won: { count: deal.won }
    revenue: { sum: deal.won, property: amount }
    qualified: { pqls: created }
    arrived: { accounts: seen }
  metrics:
    conversion: { title: Deals won per PQL, formula: won / qualified * 100, unit: percent, target: '>= 50' }
    average: { formula: revenue / won, unit: ratio, target: '> 2' }
    new-accounts: { formula: arrived, unit: count }
`

function pulse(version: number, usageWeight: number, interestWeight: number, invites: number): string {
  const groups = GROUPS.replace('USAGE_WEIGHT', String(usageWeight))
    .replace('INTEREST_WEIGHT', String(interestWeight))
    .replace('INVITES', String(invites))
  return `id: pulse\nversion: ${version}${PULSE}${groups}`
}

const FIT = `
id: fit
version: 1
name: Fit
score: { scale: 1, max: 10 }
features:
  employees: { latest: traits.employees }
groups:
  size:
    weight: 1
    max: 10
    rules:
      employees: { of: employees, bands: [{ from: 100, points: 5 }, { from: 1000, points: 9 }] }
tiers:
  - { name: poor, from: 0 }
  - { name: good, from: 5 }
`

/** Path → text. */
export const MODEL_FILES = {
  'fit.yaml': FIT,
  'before/pulse.yaml': pulse(1, 0.6, 0.4, 2),
  'after/pulse.yaml': pulse(2, 0.5, 0.5, 3),
} as const
