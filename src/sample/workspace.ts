import { createCompanies } from './names.ts'
import { createRandom } from './random.ts'
import { salesTalk } from './sales-talk.ts'
import { ordinaryAccount, type SampleAccount, STORYLINE_NAMES, type StorylineName } from './sample-account.ts'
import { STORYLINES } from './storylines.ts'

/** The accounts of the sample: the same for the same seed and number. */
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
      const random = createRandom(seed, 'account', company.id)
      const ordinary = ordinaryAccount(company, index, storyline, random)
      const shaped = { ...ordinary, ...STORYLINES[storyline].shape(ordinary, place, random) }
      return { ...shaped, scenes: [...shaped.scenes, ...salesTalk(shaped, random)] }
    }),
  }
}

/** As many of each storyline as its share says, with places spread evenly from 0 to 1. What rounding leaves over is steady. */
function dealStorylines(count: number): { storyline: StorylineName; place: number }[] {
  const others = STORYLINE_NAMES.filter(name => name !== 'steady').flatMap(name =>
    dealt(name, Math.floor(STORYLINES[name].share * count)),
  )
  return [...others, ...dealt('steady', count - others.length)]
}

function dealt(storyline: StorylineName, count: number): { storyline: StorylineName; place: number }[] {
  return Array.from({ length: count }, (_, i) => ({ storyline, place: (i + 0.5) / count }))
}
