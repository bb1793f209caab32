import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UpswellError } from '../errors.ts'

/** What an embedded data directory was begun with. `loading`: the sample was not loaded to its end. */
export type Workspace =
  | { readonly kind: 'empty' }
  | { readonly kind: 'sample'; readonly seed: number; readonly state: 'loading' | 'loaded' }

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
  await writeFile(fileOf(dataDir), `${JSON.stringify(workspace)}\n`)
}

/**
 * What this start works with. A sample that was not loaded to its end holds nothing of anybody's: it is thrown away and loaded anew.
 * @throws UpswellError INVALID_SETTINGS if an empty workspace is asked for where the sample is
 */
export async function chooseWorkspace(dataDir: string, empty: boolean, seed: number): Promise<Workspace> {
  const found = await readWorkspace(dataDir)
  if (empty && found?.kind === 'sample') {
    throw new UpswellError(
      'INVALID_SETTINGS',
      `${dataDir} holds the sample workspace; for an empty one choose another folder with UPSWELL_DATA_DIR, or delete this one`,
    )
  }
  if (found?.kind === 'sample' && found.state === 'loading') await rm(dataDir, { recursive: true })
  else if (found !== undefined) return found
  const begun: Workspace = empty ? { kind: 'empty' } : { kind: 'sample', seed, state: 'loading' }
  await writeWorkspace(dataDir, begun)
  return begun
}
