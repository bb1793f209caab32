import { CSMS, PRODUCT_PAIRS, STAKEHOLDER_ROLES, STAKEHOLDERS } from './names.ts'
import type { Random } from './random.ts'
import type { Profile, StorylineName } from './sample-account.ts'

export function createProfile(storyline: StorylineName, random: Random): Profile {
  const isClose = CLOSE_STORYLINES.includes(storyline)
  // A role is known only if all earlier roles are.
  const rolesKnown = isClose
    ? random.integer(3, 5)
    : Math.floor(STAKEHOLDER_ROLES.length * random.next() ** 1.3)
  return {
    csm: random.pick(CSMS),
    persona: random.chance(0.9)
      ? random.pick(['admin', 'end-user', 'end-user', 'champion', 'executive'])
      : undefined,
    activationPath: random.pick(['self-serve', 'self-serve', 'sales-led', 'invited', 'partner']),
    firstValueDaysAgo: random.integer(60, 600),
    businessUnits: random.integer(1, 4),
    businessCaseAligned: random.chance(0.2),
    budgetConfirmed: random.chance(0.15),
    stakeholders: stakeholdersOf(rolesKnown, random),
    owns: random.chance(0.35) ? [random.pick(PRODUCT_PAIRS)[0]] : [],
    sessionMinutes: isClose ? random.integer(26, 44) : random.integer(6, 34),
    paysInTime: random.chance(0.96),
    csat: random.chance(0.8) ? random.integer(isClose ? 74 : 58, 96) : undefined,
  }
}

/** In these storylines the vendor and the account work closely together. */
const CLOSE_STORYLINES: readonly StorylineName[] = [
  'seat-growth',
  'second-product',
  'renewal-near',
  'multi-team',
]

/** The people that the vendor knows, in the first `count` roles. */
function stakeholdersOf(count: number, random: Random): Record<string, string> {
  const names = random.shuffled(STAKEHOLDERS)
  return Object.fromEntries(STAKEHOLDER_ROLES.slice(0, count).map((role, i) => [role, names[i]!]))
}
