import { expansionTalk } from './expansion-talk.ts'
import { interest, reviews } from './interest.ts'
import { createCompanies } from './names.ts'
import { ordinaryAccount } from './ordinary-account.ts'
import { createProfile } from './profile.ts'
import { createRandom, type Random } from './random.ts'
import { type SampleAccount, STORYLINE_NAMES, type StorylineName } from './sample-account.ts'
import { STORYLINES } from './storylines.ts'

/** The accounts of the sample: equal for the same seed and number. */
export interface SampleWorkspace {
  readonly seed: number
  readonly accounts: readonly SampleAccount[]
}

export function sampleWorkspace({
  seed,
  accounts = 200,
}: {
  readonly seed: number
  readonly accounts?: number
}): SampleWorkspace {
  const companies = createCompanies(accounts, createRandom(seed, 'companies'))
  const roles = createRandom(seed, 'storylines').shuffled(dealStorylines(accounts))
  return {
    seed,
    accounts: companies.map((company, index) => {
      const { storyline, place } = roles[index]!
      // Later additions to the sample draw from their own sources: they leave the rest unchanged.
      const randomFor = (what: string): Random => createRandom(seed, what, company.id)
      const random = randomFor('account')
      const ordinary = ordinaryAccount(
        company,
        index,
        storyline,
        createProfile(storyline, randomFor('profile')),
        random,
      )
      const shaped = { ...ordinary, ...STORYLINES[storyline].shape(ordinary, place, random) }
      const talk = expansionTalk(shaped, place, randomFor('talk'))
      return {
        ...shaped,
        change: talk.change,
        scenes: [
          ...shaped.scenes,
          ...talk.scenes,
          ...interest(shaped, place, randomFor('interest')),
          ...reviews(shaped, randomFor('reviews')),
        ],
        next: [...shaped.next, ...talk.next],
      }
    }),
  }
}

/**
 * As many accounts of each storyline as its share says, with places spread evenly from 0 to 1. The rest is
 * steady.
 */
function dealStorylines(count: number): { storyline: StorylineName; place: number }[] {
  const others = STORYLINE_NAMES.filter(name => name !== 'steady').flatMap(name =>
    dealt(name, Math.floor(STORYLINES[name].share * count)),
  )
  return [...others, ...dealt('steady', count - others.length)]
}

function dealt(storyline: StorylineName, count: number): { storyline: StorylineName; place: number }[] {
  return Array.from({ length: count }, (_, i) => ({ storyline, place: (i + 0.5) / count }))
}
