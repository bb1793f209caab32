import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UpswellError } from '../lib/errors.ts'

/** What an embedded data directory was begun with. `loading`: the sample was not loaded to its end. */
export type Workspace =
  | { readonly kind: 'empty' }
  | { readonly kind: 'sample'; readonly seed: number; readonly state: 'loaded' }
  | { readonly kind: 'sample'; readonly seed: number; readonly state: 'loading'; readonly pid: number }

/** What Upswell keeps in a data directory. The directory may be one that holds other files too. */
const OWN_FILES = ['data.mdb', 'lock.mdb', 'workspace.json']

const fileOf = (dataDir: string): string => join(dataDir, 'workspace.json')

/** Undefined for a directory that was never started with. */
export async function readWorkspace(dataDir: string): Promise<Workspace | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as Workspace
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new UpswellError(
      'STATE_UNREADABLE',
      `cannot read ${fileOf(dataDir)}: ${(error as Error).message}; choose another folder with UPSWELL_DATA_DIR, or delete this one`,
      { cause: error },
    )
  }
}

export async function writeWorkspace(dataDir: string, workspace: Workspace): Promise<void> {
  await mkdir(dataDir, { recursive: true })
  // Whoever reads it meanwhile finds the file before or after, never half of it.
  const written = `${fileOf(dataDir)}.${process.pid}`
  await writeFile(written, `${JSON.stringify(workspace)}\n`)
  await rename(written, fileOf(dataDir))
}

/**
 * What this start works with. A sample that was not loaded to its end holds nothing of anybody's: it is thrown away and loaded anew.
 * @throws UpswellError INVALID_SETTINGS if an empty workspace is asked for where the sample is; LOG_FENCED if another process is loading it
 */
export async function chooseWorkspace(dataDir: string, empty: boolean, seed: number): Promise<Workspace> {
  const found = await readWorkspace(dataDir)
  if (found !== undefined && isLoading(found)) {
    if (isOtherProcess(found.pid)) {
      throw new UpswellError(
        'LOG_FENCED',
        `process ${found.pid} is loading the sample into ${dataDir}; stop it first, or choose another folder with UPSWELL_DATA_DIR`,
      )
    }
    for (const file of OWN_FILES) await rm(join(dataDir, file), { force: true })
  } else if (found !== undefined) {
    if (!empty || found.kind === 'empty') return found
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${dataDir} holds the sample workspace; for an empty one choose another folder with UPSWELL_DATA_DIR, or delete this one`,
    )
  }
  const begun: Workspace = empty
    ? { kind: 'empty' }
    : { kind: 'sample', seed, state: 'loading', pid: process.pid }
  await writeWorkspace(dataDir, begun)
  return begun
}

/**
 * For those who put signals of their own into a directory, perhaps before its first start: then the sample must not join them.
 * @throws UpswellError LOG_UNAVAILABLE while the sample is not loaded: a start may yet throw all of it away
 */
export async function claimWorkspace(dataDir: string): Promise<void> {
  const found = await readWorkspace(dataDir)
  if (found === undefined) await writeWorkspace(dataDir, { kind: 'empty' })
  else if (isLoading(found)) {
    throw new UpswellError(
      'LOG_UNAVAILABLE',
      `the sample is not loaded into ${dataDir} to its end; send again when "upswell start" has done so, or choose another folder with UPSWELL_DATA_DIR`,
      { canRetry: true },
    )
  }
}

function isLoading(workspace: Workspace): workspace is Extract<Workspace, { state: 'loading' }> {
  return workspace.kind === 'sample' && workspace.state === 'loading'
}

/** Whether another process has this id. In a container that was started again it is ours. */
function isOtherProcess(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
