import { userCount } from './day.ts'
import { type Draft, draftsOfScene } from './draft.ts'
import { episodeOf, episodeShare } from './episodes.ts'
import { createRandom } from './random.ts'
import type { SampleAccount, Scene } from './sample-account.ts'
import type { SampleWorkspace } from './workspace.ts'

/** A third of the acts are pushes: they last for about the first half hour, with episodes between them. */
const PUSH_SHARE = 0.33
/**
 * Most acts show in the Revenue Score, some twice: one change every 10 to 20 s, measured in
 * `test/sample/live.test.ts`.
 */
const INTERVAL_MS = { shortest: 7_000, longest: 21_000 } as const
const EPISODE_MS = { shortest: 100_000, longest: 420_000 } as const
/** No episode comes over an account again within this time. */
const REST_MS = 15 * 60_000

// Acts are what people who watch see beside everyday work:
//
//   push      once an account: one more signal carries it over the edge of a tier or PQL
//   episode   again and again: something comes over an account, and passes within minutes

/**
 * Returns a function that gives the drafts of the acts that begin in (`after`, `until`], with their later
 * ends. Call it for one stretch of time after the other.
 */
export function createActs(
  workspace: SampleWorkspace,
  from: number,
): (after: number, until: number) => Draft[] {
  const random = createRandom(workspace.seed, 'acts', from)
  const pushes = random.shuffled(workspace.accounts.flatMap(pushesOf))
  const actors = workspace.accounts.flatMap(account =>
    Array.from({ length: episodeShare(account) }, () => account),
  )
  const restsUntil = new Map<string, number>()
  const interval = (): number => random.integer(INTERVAL_MS.shortest, INTERVAL_MS.longest)
  let nextAt = from + INTERVAL_MS.shortest

  function act(at: number): readonly Draft[] {
    const push = random.chance(PUSH_SHARE) ? pushes.pop() : undefined
    if (push !== undefined) {
      const { account, scene, newcomer } = push
      return draftsOfScene(account, scene, at, userCount(account, 1), newcomer, random)
    }
    const account = random.pick(actors)
    if ((restsUntil.get(account.id) ?? 0) > at) return []
    const end = at + random.integer(EPISODE_MS.shortest, EPISODE_MS.longest)
    restsUntil.set(account.id, end + REST_MS)
    return episodeOf(account, at, end, random)
  }

  return (after, until) => {
    const drafts: Draft[] = []
    if (nextAt <= after) nextAt = after + interval()
    for (; nextAt <= until; nextAt += interval()) drafts.push(...act(nextAt))
    return drafts
  }
}

interface Push {
  readonly account: SampleAccount
  readonly scene: Scene
  /** How many newcomers the account's earlier pushes bring. */
  readonly newcomer: number
}

function pushesOf(account: SampleAccount): Push[] {
  return account.next.map((scene, i) => ({
    account,
    scene,
    newcomer: account.next.slice(0, i).filter(({ by }) => by === 'newcomer').length,
  }))
}
