import { access, constants, mkdir, open, stat } from 'node:fs/promises'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { describeError, UpswellError } from '../errors.ts'

export const DATA_FILE = 'data.mdb'
const LOCK_FILE = 'lock.mdb'

/**
 * Makes the directory if it is missing, and checks that LMDB can open it.
 * @throws UpswellError STORE_UNAVAILABLE: it cannot be written; STATE_UNREADABLE: its data file is foreign
 */
export async function requireUsableDirectory(directory: string): Promise<void> {
  await requireWritable(directory)
  await requireLmdbFile(directory)
}

async function requireWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    for (const file of [DATA_FILE, LOCK_FILE]) {
      const path = join(directory, file)
      if (await exists(path)) await access(path, constants.R_OK | constants.W_OK)
    }
  } catch (thrown) {
    throw new UpswellError(
      'STORE_UNAVAILABLE',
      `The data directory ${directory} cannot be written (${describeError(thrown)}). Give this user write access, or name another directory.`,
      { cause: thrown },
    )
  }
}

/**
 * Checks the first page of the data file: after 24 bytes come LMDB's magic number and version, in native byte
 * order.
 */
async function requireLmdbFile(directory: string): Promise<void> {
  const path = join(directory, DATA_FILE)
  if (!(await exists(path))) return
  const file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0).finally(() => file.close())
  // A process that was killed before its first write leaves an empty file. LMDB initialises it.
  if (bytesRead === 0) return
  const isLittle = endianness() === 'LE'
  const magic = isLittle ? buffer.readUInt32LE(24) : buffer.readUInt32BE(24)
  const version = (isLittle ? buffer.readUInt32LE(28) : buffer.readUInt32BE(28)) & 0xffff
  if (magic === 0xbeefc0de && version === 2) return
  throw unreadable(directory, `${DATA_FILE} is not an LMDB file, or has another version`)
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

export function unreadable(directory: string, reason: string, cause?: unknown): UpswellError {
  return new UpswellError(
    'STATE_UNREADABLE',
    `The data directory ${directory} holds no LMDB environment that this version can open (${reason}). Move its files away, or name another directory.`,
    { cause },
  )
}
