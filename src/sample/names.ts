import type { Random } from './random.ts'

/** What the sample's companies and their work are called. The companies are made up. */

const FIRST_NAMES = [
  'Northwind',
  'Harbor',
  'Juniper',
  'Redwood',
  'Bluestone',
  'Silverline',
  'Quarry',
  'Lantern',
  'Copperfield',
  'Meridian',
  'Foxglove',
  'Ironbridge',
  'Tidewater',
  'Larkspur',
  'Granite',
  'Willow',
  'Kestrel',
  'Brightwater',
  'Hollow Oak',
  'Solstice',
  'Marlow',
  'Cinder',
  'Aldgate',
  'Sparrow',
  'Vantage',
  'Windmill',
  'Orchard',
  'Polaris',
  'Cobalt',
  'Thistle',
] as const

/** The second part of a name tells the industry. */
const SECOND_NAMES = [
  ['Robotics', 'manufacturing'],
  ['Analytics', 'software'],
  ['Health', 'healthcare'],
  ['Logistics', 'logistics'],
  ['Foods', 'retail'],
  ['Energy', 'energy'],
  ['Capital', 'finance'],
  ['Studios', 'media'],
  ['Learning', 'education'],
  ['Labs', 'software'],
  ['Outfitters', 'retail'],
  ['Systems', 'software'],
  ['Freight', 'logistics'],
  ['Diagnostics', 'healthcare'],
  ['Insurance', 'finance'],
  ['Press', 'media'],
  ['Materials', 'manufacturing'],
  ['Travel', 'hospitality'],
  ['Bank', 'finance'],
  ['Games', 'media'],
] as const

export interface Company {
  readonly id: string
  readonly name: string
  readonly industry: string
}

/** Different companies; beyond the 600 pairs of names, a number goes behind. */
export function createCompanies(count: number, random: Random): Company[] {
  const first = random.shuffled(FIRST_NAMES)
  const second = random.shuffled(SECOND_NAMES)
  return Array.from({ length: count }, (_, i) => {
    // Each round shifts the second names by one against the first: no pair comes twice in 600.
    const round = Math.floor(i / first.length)
    const [suffix, industry] = second[(i + round) % second.length]!
    const repeat = Math.floor(i / (first.length * second.length))
    const name = `${first[i % first.length]} ${suffix}${repeat === 0 ? '' : ` ${repeat + 1}`}`
    return { id: name.toLowerCase().replaceAll(' ', '-'), name, industry }
  })
}

export const TEAMS = [
  'engineering',
  'operations',
  'marketing',
  'sales',
  'finance',
  'support',
  'design',
] as const
export const LOCATIONS = ['headquarters', 'berlin', 'austin', 'singapore', 'toronto', 'lisbon'] as const

/** The vendor sells two products: accounts work with the first one, and some look at the second one. */
export const MAIN_PRODUCT = 'projects'
export const OTHER_PRODUCT = 'insights'

export const FEATURES = [
  'boards',
  'tasks',
  'comments',
  'timeline',
  'calendar',
  'files',
  'search',
  'reports',
  'templates',
  'forms',
  'dashboards',
  'approvals',
] as const
export const POWER_FEATURES = ['automations', 'custom-fields', 'bulk-edit'] as const
export const PREVIEW_FEATURES = ['single-sign-on', 'audit-log', 'forecasting', 'sandbox'] as const
