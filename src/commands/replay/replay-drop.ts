import { readConfig } from '../../app/config.ts'
import { counted } from '../../console/format.ts'
import { dropReplay, type PreparedDrop, prepareDrop } from '../../consumers/lineage/drop-replay.ts'
import { type ConfirmOptions, confirm } from '../confirm.ts'
import { print } from '../terminal.ts'
import { withLineages } from '../with-lineages.ts'

/**
 * `upswell replay drop NAME`: says what would be deleted, asks, and deletes it. Returns the exit code: 1 if
 * the answer is no.
 * @throws UpswellError INVALID_SETTINGS: it may not be dropped, or nobody can be asked and `--yes` is
 * missing; LOG_UNAVAILABLE, STORE_UNAVAILABLE
 */
export async function dropReplayNamed(name: string, options: ConfirmOptions): Promise<number> {
  return await withLineages(readConfig(), async ({ lineages }) => {
    print(await describe(await prepareDrop(lineages, name)))
    if (!(await confirm({ options, what: `Dropping ${name}` }))) {
      print('Nothing was deleted.')
      return 1
    }
    await dropReplay(lineages, name)
    print(`${name} is gone: its topics, its consumer groups and its state.`)
    return 0
  })
}

async function describe({ replay, topics }: PreparedDrop): Promise<string> {
  const { store } = replay.backend
  let accounts = 0
  for (let partition = 0; partition < ((await store.partitions()) ?? 0); partition++)
    accounts += await store.countDue(partition, Number.POSITIVE_INFINITY)
  const what = `${counted(topics.length, 'topic')} (${topics.join(', ')}) and the scores of ${counted(accounts, 'account')}`
  return `This deletes ${what}. To have them again, run the replay again from the beginning.`
}
