import { basename } from 'node:path'
import { readConfig } from '../../app/config.ts'
import { openBackend } from '../../app/open-backend.ts'
import { table } from '../../console/text-table.ts'
import { Lines } from '../../consumers/lineage/lineages.ts'
import { progressPlace, readProgress } from '../../consumers/lineage/replay-progress.ts'
import { type Replay, readReplay } from '../../consumers/lineage/replay-record.ts'
import { ModelLibrary } from '../../models/model-library.ts'
import { lineLogger } from '../line-logger.ts'

const LOG_SUFFIX = '.signals'

/** `upswell replay list`. @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE */
export async function listReplays(): Promise<void> {
  const config = readConfig()
  const backend = await openBackend(config, lineLogger(config.logLevel))
  const lines = new Lines(config, backend, new ModelLibrary())
  try {
    const rows: string[][] = []
    const served = (await lines.served()).place.namespace
    const chain = await promotedNamespaces(lines)
    for (const topic of (await backend.log.topics()).sort()) {
      if (!topic.startsWith(config.topicPrefix) || !topic.endsWith(LOG_SUFFIX)) continue
      const replay = await readReplay(backend.log, topic)
      if (replay === undefined) continue
      const line = await lines.replay(replay.name)
      const { place } = line
      if (place.topics.signals !== topic) continue
      const { left } = await readProgress(progressPlace(line, replay))
      const state =
        place.namespace === served ? 'serves' : chain.includes(place.namespace) ? 'promoted' : 'shadow'
      const partitions = String(await backend.log.partitions(topic))
      rows.push([replay.name, state, windowOf(replay), modelsOf(replay), partitions, String(left)])
    }
    if (rows.length === 0) {
      process.stdout.write('There are no replays; "upswell replay --into NAME" begins one.\n')
      return
    }
    const head = ['name', 'state', 'window', 'models', 'partitions', 'behind']
    for (const line of table([head, ...rows])) process.stdout.write(`${line.join('').trimEnd()}\n`)
  } finally {
    await lines.close()
    await backend.close()
  }
}

async function promotedNamespaces(lines: Lines): Promise<string[]> {
  const namespaces: string[] = []
  for (
    let line = await lines.successor(lines.original);
    line !== undefined;
    line = await lines.successor(line)
  )
    namespaces.push(line.place.namespace)
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
