import { findServedSoFar } from '../../consumers/lineage/find-served.ts'
import type { LineageNames } from '../../consumers/lineage/lineage-names.ts'
import type { Lineages } from '../../consumers/lineage/lineages.ts'
import { readProgress, replayLocation } from '../../consumers/lineage/replay-progress.ts'
import { type Replay, readReplay } from '../../consumers/lineage/replay-record.ts'
import type { Log } from '../../log/log.ts'

export interface FoundReplay {
  readonly replay: Replay
  readonly names: LineageNames
  readonly state: 'serves' | 'promoted' | 'shadow'
  readonly partitions: number
  /** Records that are not copied or not scored yet. */
  readonly left: number
}

const LOG_SUFFIX = '.signals'

/**
 * The replays of an installation, by the name of their log.
 * @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function findReplays(lineages: Lineages, log: Log, topicPrefix: string): Promise<FoundReplay[]> {
  const found: FoundReplay[] = []
  const servedSoFar = (await findServedSoFar(lineages)).map(({ names }) => names.namespace)
  const served = servedSoFar.at(-1)
  const chain = [...servedSoFar, ...(await promotedNamespaces(lineages))]
  for (const topic of (await log.topics()).sort()) {
    if (!topic.startsWith(topicPrefix) || !topic.endsWith(LOG_SUFFIX)) continue
    const replay = await readReplay(log, topic)
    if (replay === undefined) continue
    const lineage = await lineages.replay(replay.name)
    const { names } = lineage
    if (names.topics.signals !== topic) continue
    const { left } = await readProgress(replayLocation(lineage, replay))
    const state =
      names.namespace === served ? 'serves' : chain.includes(names.namespace) ? 'promoted' : 'shadow'
    found.push({ replay, names, state, partitions: await log.partitions(topic), left })
  }
  return found
}

async function promotedNamespaces(lineages: Lineages): Promise<string[]> {
  const namespaces: string[] = []
  for (
    let lineage = await lineages.successor(lineages.original);
    lineage !== undefined;
    lineage = await lineages.successor(lineage)
  )
    namespaces.push(lineage.names.namespace)
  return namespaces
}
