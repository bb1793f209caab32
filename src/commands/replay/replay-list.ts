import { basename } from 'node:path'
import { readConfig } from '../../app/config.ts'
import { table } from '../../console/styled-lines.ts'
import type { Replay } from '../../consumers/lineage/replay-record.ts'
import { print } from '../terminal.ts'
import { withLineages } from '../with-lineages.ts'
import { findReplays } from './find-replays.ts'

/** `upswell replay list`. @throws UpswellError LOG_UNAVAILABLE, STORE_UNAVAILABLE */
export async function listReplays(): Promise<void> {
  const config = readConfig()
  await withLineages(config, async ({ lineages, backend }) => {
    const found = await findReplays(lineages, backend.log, config.topicPrefix)
    const rows = found.map(({ replay, state, partitions, left }) => [
      replay.name,
      state,
      windowOf(replay),
      modelsOf(replay),
      String(partitions),
      String(left),
    ])
    if (rows.length === 0) {
      print('There are no replays; "upswell replay --into NAME" begins one.')
      return
    }
    const head = ['name', 'state', 'window', 'models', 'partitions', 'behind']
    for (const line of table([head, ...rows])) print(line.join('').trimEnd())
  })
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
