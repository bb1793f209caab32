import { stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../../app/config.ts'
import { type OpenedBackend, openBackend } from '../../app/open-backend.ts'
import { findServed } from '../../consumers/lineage/find-served.ts'
import { scoreGroup } from '../../consumers/lineage/lineage-names.ts'
import { Lineages } from '../../consumers/lineage/lineages.ts'
import { attempt } from '../../lib/attempt.ts'
import { describeError } from '../../lib/errors.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { isNeverStarted } from '../data-location.ts'
import { lineLogger } from '../terminal.ts'
import { type ConfiguredModels, checkData, DATA_LIMIT_MS } from './check-data.ts'
import type { Finding } from './finding.ts'
import { type FolderFacts, judgeFolder } from './judge-process.ts'

/** The checks of the embedded default: its folder, and what is in it. */
export async function checkEmbedded(
  config: Config,
  library: ModelLibrary,
  models: ConfiguredModels,
): Promise<Finding[]> {
  const path = resolve(config.dataDir)
  const folder = { path, dataBytes: await sizeOf(join(path, 'data.mdb')), freeBytes: await freeBytes(path) }
  // Opening a backend would create the folder.
  if (isNeverStarted(config))
    return judgeFolder({ ...folder, isStarted: false, failure: undefined, isConsumed: false })
  const started = { ...folder, isStarted: true }
  let backend: OpenedBackend
  try {
    backend = await openBackend(config, lineLogger('silent'))
  } catch (error) {
    return judgeFolder({ ...started, failure: describeError(error), isConsumed: false })
  }
  const lineages = new Lineages(config, backend, library)
  try {
    const opened = await attempt(DATA_LIMIT_MS, async () => {
      const serving = await findServed(lineages)
      const { names } = serving
      const { isConsuming } = await backend.log.group(scoreGroup(names), names.topics.signals)
      return { serving, isConsuming }
    })
    const facts: FolderFacts =
      'value' in opened
        ? { ...started, failure: undefined, isConsumed: opened.value.isConsuming }
        : { ...started, failure: opened.reason, isConsumed: false }
    const own = judgeFolder(facts)
    if ('reason' in opened) return own
    const { serving } = opened.value
    return [...own, ...(await checkData({ config, lineages, serving, library, models }))]
  } finally {
    await lineages.close()
    await backend.close()
  }
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

/** What is free where the folder is, or will be. */
async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    return dirname(path) === path ? undefined : await freeBytes(dirname(path))
  }
}
