import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UpswellError } from '../lib/errors.ts'

/** How an embedded data directory was begun. `loading`: the sample is not loaded completely. */
export type Workspace =
  | { readonly kind: 'empty' }
  | { readonly kind: 'sample'; readonly seed: number; readonly state: 'loaded' }
  | { readonly kind: 'sample'; readonly seed: number; readonly state: 'loading'; readonly pid: number }

/** The files of Upswell in a data directory, which may hold other files too. */
const OWN_FILES = ['data.mdb', 'lock.mdb', 'workspace.json']

const fileOf = (dataDir: string): string => join(dataDir, 'workspace.json')

/** Undefined: no service was ever started in the directory. */
async function readWorkspace(dataDir: string): Promise<Workspace | undefined> {
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

/** @throws UpswellError INVALID_SETTINGS: the directory cannot be written */
export async function writeWorkspace(dataDir: string, workspace: Workspace): Promise<void> {
  // A reader finds the old file or the new one, never half of it.
  const written = `${fileOf(dataDir)}.${process.pid}`
  try {
    await mkdir(dataDir, { recursive: true })
    await writeFile(written, `${JSON.stringify(workspace)}\n`)
    await rename(written, fileOf(dataDir))
  } catch (error) {
    throw new UpswellError(
      'INVALID_SETTINGS',
      `cannot write into ${dataDir}: ${(error as Error).message}; choose a folder that can be written with UPSWELL_DATA_DIR. In a container, mount a volume there`,
      { cause: error },
    )
  }
}

// What `upswell start` finds in the directory, and what it does:
//
//   nothing                             begins the sample, or an empty workspace with --empty
//   the sample                          continues it; --empty is refused
//   an empty workspace                  continues it; --sample is refused
//   a half-loaded sample                deletes it and begins again: it holds nobody's own data
//   a sample that is being loaded       refuses

/**
 * Chooses the workspace of this start.
 * @throws UpswellError INVALID_SETTINGS if the directory holds another kind of workspace than is wanted;
 * LOG_FENCED if another process is loading the sample
 */
export async function chooseWorkspace(
  dataDir: string,
  wanted: Workspace['kind'] | undefined,
  seed: number,
): Promise<Workspace> {
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
    if (wanted === undefined || found.kind === wanted) return found
    const [held, other] =
      found.kind === 'sample' ? ['the sample workspace', 'an empty one'] : ['own data', 'the sample']
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${dataDir} holds ${held}; for ${other} choose another folder with UPSWELL_DATA_DIR, or delete this one`,
    )
  }
  const begun: Workspace =
    wanted === 'empty' ? { kind: 'empty' } : { kind: 'sample', seed, state: 'loading', pid: process.pid }
  await writeWorkspace(dataDir, begun)
  return begun
}

/**
 * Call it before adding own signals to a directory: before the first start it keeps the sample out.
 * @throws UpswellError LOG_UNAVAILABLE while the sample is not loaded completely: the next start may delete
 * all of it
 */
export async function claimWorkspace(dataDir: string): Promise<void> {
  const found = await readWorkspace(dataDir)
  if (found === undefined) await writeWorkspace(dataDir, { kind: 'empty' })
  else if (isLoading(found)) {
    throw new UpswellError(
      'LOG_UNAVAILABLE',
      `the sample is not completely loaded into ${dataDir}; send again after "upswell start" has loaded it, or choose another folder with UPSWELL_DATA_DIR`,
      { canRetry: true },
    )
  }
}

function isLoading(workspace: Workspace): workspace is Extract<Workspace, { state: 'loading' }> {
  return workspace.kind === 'sample' && workspace.state === 'loading'
}

/** Whether another running process has this id. In a restarted container the id can be our own. */
function isOtherProcess(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
