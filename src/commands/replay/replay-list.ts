import { basename } from 'node:path'
import { readConfig } from '../../app/config.ts'
import { table } from '../../console/styled-lines.ts'
import type { Lineages } from '../../consumers/lineage/lineages.ts'
import { readProgress, replayLocation } from '../../consumers/lineage/replay-progress.ts'
import { type Replay, readReplay } from '../../consumers/lineage/replay-record.ts'
import { print } from '../terminal.ts'
import { withLineages } from '../with-lineages.ts'

const LOG_SUFFIX = '.signals'

/** `upswell replay list`. @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE */
export async function listReplays(): Promise<void> {
  const config = readConfig()
  await withLineages(config, async ({ lineages, backend }) => {
    const rows: string[][] = []
    const served = (await lineages.served()).names.namespace
    const chain = await promotedNamespaces(lineages)
    for (const topic of (await backend.log.topics()).sort()) {
      if (!topic.startsWith(config.topicPrefix) || !topic.endsWith(LOG_SUFFIX)) continue
      const replay = await readReplay(backend.log, topic)
      if (replay === undefined) continue
      const lineage = await lineages.replay(replay.name)
      const { names } = lineage
      if (names.topics.signals !== topic) continue
      const { left } = await readProgress(replayLocation(lineage, replay))
      const state =
        names.namespace === served ? 'serves' : chain.includes(names.namespace) ? 'promoted' : 'shadow'
      const partitions = String(await backend.log.partitions(topic))
      rows.push([replay.name, state, windowOf(replay), modelsOf(replay), partitions, String(left)])
    }
    if (rows.length === 0) {
      print('There are no replays; "upswell replay --into NAME" begins one.')
      return
    }
    const head = ['name', 'state', 'window', 'models', 'partitions', 'behind']
    for (const line of table([head, ...rows])) print(line.join('').trimEnd())
  })
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

function windowOf({ from, to }: Replay): string {
  const start = from === null ? 'beginning' : day(from)
  return `${start} to ${to === null ? 'end, following' : day(to)}`
}

function modelsOf({ models }: Replay): string {
  if (models === null) return 'as in the log'
  const [first, ...others] = models.map(({ file }) => basename(file))
  return others.length === 0 ? first! : `${first} +${others.length}`
}

function day(time: number): string {
  return new Date(time).toISOString().replace(/T00:00:00\.000Z$/, '')
}
