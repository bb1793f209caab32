import { userCount } from './day.ts'
import { type Draft, draftsOfScene } from './draft.ts'
import { episodeOf, episodeShare } from './episodes.ts'
import { createRandom } from './random.ts'
import type { SampleAccount, Scene } from './sample-account.ts'
import type { SampleWorkspace } from './workspace.ts'

/** A third are pushes, so that they last for the first half hour or so, with episodes between them. */
const PUSH_SHARE = 0.33
/** Most acts show in the Revenue Score, some twice: something every 10 to 20 seconds. `test/sample/live.test.ts` measures it. */
const INTERVAL_MS = { shortest: 7_000, longest: 21_000 } as const
const EPISODE_MS = { shortest: 100_000, longest: 420_000 } as const
/** An account that has been through an episode is left alone for a while. */
const REST_MS = 15 * 60_000

/**
 * What happens beside everyday work, for people who watch: accounts right before an edge are pushed over it, each once; and episodes come
 * and go. Gives what is begun in a stretch of time, with the later ends of it; to be called for one stretch after the other.
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
  /** How many newcomers the account's pushes bring before this one. */
  readonly newcomer: number
}

function pushesOf(account: SampleAccount): Push[] {
  return account.next.map((scene, i) => ({
    account,
    scene,
    newcomer: account.next.slice(0, i).filter(({ by }) => by === 'newcomer').length,
  }))
}
