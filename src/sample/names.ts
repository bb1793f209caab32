import type { Random } from './random.ts'

// Names of the sample's companies and of their work. The companies are made up.

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

/** The second part of a company's name goes with its industry. */
const SECOND_NAMES = [
  ['Robotics', 'Manufacturing'],
  ['Analytics', 'Software'],
  ['Health', 'Healthcare'],
  ['Logistics', 'Logistics'],
  ['Foods', 'Retail'],
  ['Energy', 'Energy'],
  ['Capital', 'Financial Services'],
  ['Studios', 'Media'],
  ['Learning', 'Education'],
  ['Labs', 'Software'],
  ['Outfitters', 'Retail'],
  ['Systems', 'Software'],
  ['Freight', 'Logistics'],
  ['Diagnostics', 'Healthcare'],
  ['Insurance', 'Financial Services'],
  ['Press', 'Media'],
  ['Materials', 'Manufacturing'],
  ['Travel', 'Hospitality'],
  ['Bank', 'Financial Services'],
  ['Games', 'Media'],
] as const

export interface Company {
  readonly id: string
  readonly name: string
  readonly industry: string
}

/** Different companies; after the 600 pairs of names, a number is added. */
export function createCompanies(count: number, random: Random): Company[] {
  const first = random.shuffled(FIRST_NAMES)
  const second = random.shuffled(SECOND_NAMES)
  return Array.from({ length: count }, (_, i) => {
    // Each round shifts the second names by one against the first: no pair repeats within 600.
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

/** All accounts work with the main product; some look at the newest one. */
export const MAIN_PRODUCT = 'projects'
export const OTHER_PRODUCT = 'insights'

/** The vendor's other products: an account that owns the first of a pair could use the second. */
export const PRODUCT_PAIRS = [
  ['crm', 'marketing-automation'],
  ['marketing-automation', 'content-management'],
  ['analytics', 'data-warehouse'],
  ['communication', 'project-management'],
] as const

/** The vendor's customer success managers. */
export const CSMS = [
  'Ana Duarte',
  'Ben Osei',
  'Chloe Martin',
  'Dev Patel',
  'Elin Berg',
  'Femi Adeyemi',
] as const

/** Roles that decide on a purchase, in the order in which a vendor gets to know them. */
export const STAKEHOLDER_ROLES = [
  'end-user-champion',
  'it-administrator',
  'executive-sponsor',
  'budget-owner',
  'department-head',
] as const

export const STAKEHOLDERS = [
  'Amara Nwosu',
  'Bruno Costa',
  'Carla Rossi',
  'Dana Kim',
  'Emil Novak',
  'Farah Aziz',
  'Greta Lind',
  'Hugo Blanc',
  'Iris Tanaka',
  'Jonas Weber',
  'Kofi Mensah',
  'Leah Stern',
] as const

export const COLLABORATIONS = ['comment', 'mention', 'share'] as const

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
