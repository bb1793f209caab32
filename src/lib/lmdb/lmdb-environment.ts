import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { withoutExit } from '../end-process.ts'
import { describeError, isUpswellError, UpswellError } from '../errors.ts'
import { DATA_FILE, requireUsableDirectory, unreadable } from './lmdb-directory.ts'

/** The format of the tables and their contents. A format that has shipped is never edited: add the next. */
const FORMAT = '1'
const META_TABLE = 'upswell-meta'
const FORMAT_KEY = Buffer.from('format')
/**
 * A process needs seven for each namespace that it opens, and the log's. LMDB takes 7 to 120 words for each
 * in a transaction; a transaction took 1.0 ms with 32, 256 and 1,024 alike.
 */
const MAX_TABLES = 256

/**
 * Directories that are open in this process. A module holds this state because the danger is to the process:
 * if a directory is open twice, lmdb-js deadlocks. The main thread waits for the write lock, whose holder
 * waits for the main thread.
 */
const openDirectories = new Set<string>()

/** Ordered pairs of bytes. A value that was read is a copy, and the reader may keep it. */
export type LmdbTable = Database<Buffer, Buffer>

/** The code of a failure of LMDB at the port that reports it. */
export type UnavailableCode = 'LOG_UNAVAILABLE' | 'STORE_UNAVAILABLE'

/**
 * A write in two halves, so that several can share a transaction: every check runs before the first put,
 * because lmdb-js keeps the puts of an action that throws. Encode beforehand what can be encoded: both halves
 * hold the write lock.
 */
export interface PreparedWrite<Result = void> {
  /** Reads, and throws to refuse. */
  check(): void
  /** Puts, and must not throw. */
  apply(): Result
}

// Durability. A transaction is flushed (data, then the page that points to it) before a reader sees it and
// before its promise resolves. After a killed process or a power loss there are exactly:
//   - the transactions that had become visible,
//   - and possibly transactions under way that were complete; never a part of one.
// The disk must honour fdatasync.

/** One LMDB environment, shared by the embedded log and store, and by several processes. */
export interface LmdbEnvironment {
  readonly directory: string
  /** Holds single values of the whole environment. */
  readonly meta: LmdbTable
  /** Opens a table, and makes it the first time. Call it at startup: it waits for the write lock. */
  table(name: string): LmdbTable
  /** Runs reads. All reads of one turn of the event loop see one snapshot. @throws UpswellError `code` */
  read<Result>(code: UnavailableCode, action: () => Result): Result
  /**
   * Runs one transaction; resolves when it is durable. Writes that are enqueued during a flush share the next
   * flush.
   * @throws what `check` throws, and then nothing was written
   * @throws UpswellError `code`: the outcome is unknown
   */
  write<Result>(code: UnavailableCode, write: PreparedWrite<Result>): Promise<Result>
  /**
   * Removes all entries of a table in one transaction, off the main thread; resolves when it is durable.
   * @throws UpswellError `code`: the outcome is unknown
   */
  empty(code: UnavailableCode, table: LmdbTable): Promise<void>
  /** Size of the data file. LMDB reuses free pages, but never shrinks the file. */
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

/**
 * Opens the environment in `directory`, and makes the directory if it is missing. A process may open a
 * directory only once at a time.
 * @throws UpswellError STORE_UNAVAILABLE: the directory cannot be written; STATE_UNREADABLE: the files are
 * not Upswell's, or have another format.
 */
export async function openLmdbEnvironment(directory: string): Promise<LmdbEnvironment> {
  // Check before lmdb-js opens it: if opening fails, lmdb-js 3.5.6 ends the process with a segmentation
  // fault.
  await requireUsableDirectory(directory)
  const path = await realpath(directory)
  if (openDirectories.has(path)) throw new Error(`The data directory ${path} is already open in this process`)
  openDirectories.add(path)
  try {
    return await openOnce(directory, () => openDirectories.delete(path))
  } catch (thrown) {
    openDirectories.delete(path)
    throw thrown
  }
}

async function openOnce(directory: string, onClose: () => void): Promise<LmdbEnvironment> {
  const root = openRoot(directory)
  try {
    refuseForeignTables(root, directory)
    const meta = root.openDB<Buffer, Buffer>(META_TABLE, { encoding: 'binary', keyEncoding: 'binary' })
    claimFormat(meta, directory)
    return environmentOf(root, meta, directory, onClose)
  } catch (thrown) {
    await root.close()
    throw thrown
  }
}

function openRoot(directory: string): RootDatabase<Buffer, string> {
  try {
    return open<Buffer, string>(directory, {
      encoding: 'binary',
      maxDbs: MAX_TABLES,
      // Without this, lmdb-js takes a path with a dot in it for a file.
      noSubdir: false,
      // With overlapping sync, a commit is visible before it is durable: a power loss could undo what a
      // reader saw. It was also slower. Batches of 1,000 puts: 12.8 ms without it, 15.8 ms with it; 8 batches
      // at a time: 9.6 and 13.8 ms.
      overlappingSync: false,
      // It batches single puts, and there are none. It also makes a promise for each batch that no code can
      // handle: a full disk would end the process.
      eventTurnBatching: false,
    })
  } catch (thrown) {
    throw unreadable(directory, describeError(thrown), thrown)
  }
}

function refuseForeignTables(root: RootDatabase<Buffer, string>, directory: string): void {
  const names = Array.from(root.getKeys(), String)
  if (names.length === 0 || names.includes(META_TABLE)) return
  throw new UpswellError(
    'STATE_UNREADABLE',
    `The data directory ${directory} holds an LMDB environment that Upswell did not make (its tables: ${names.join(', ')}). Name another directory.`,
  )
}

function claimFormat(meta: LmdbTable, directory: string): void {
  // A transaction, because two processes may open a new directory at once.
  const found = meta.transactionSync(() => {
    const existing = meta.get(FORMAT_KEY)?.toString()
    if (existing === undefined) meta.put(FORMAT_KEY, Buffer.from(FORMAT))
    return existing ?? FORMAT
  })
  if (found === FORMAT) return
  throw new UpswellError(
    'STATE_UNREADABLE',
    `The data directory ${directory} has format ${found}; this version reads format ${FORMAT}. Start the version that wrote it, or name another directory and replay into it.`,
  )
}

function environmentOf(
  root: RootDatabase<Buffer, string>,
  meta: LmdbTable,
  directory: string,
  onClose: () => void,
): LmdbEnvironment {
  let isClosed = false
  const requireOpen = (code: UnavailableCode) => {
    if (isClosed) throw new UpswellError(code, `The data directory ${directory} is closed.`)
  }
  return {
    directory,
    meta,
    table: name => root.openDB<Buffer, Buffer>(name, { encoding: 'binary', keyEncoding: 'binary' }),
    read: (code, action) => {
      requireOpen(code)
      try {
        return action()
      } catch (thrown) {
        throw coded(code, directory, thrown)
      }
    },
    write: async (code, write) => {
      requireOpen(code)
      try {
        return await withoutExit(() =>
          root.transaction(() => {
            write.check()
            return write.apply()
          }),
        )
      } catch (thrown) {
        throw coded(code, directory, await causeOf(thrown))
      }
    },
    empty: async (code, table) => {
      requireOpen(code)
      try {
        await withoutExit(() => table.clearAsync())
      } catch (thrown) {
        throw coded(code, directory, await causeOf(thrown))
      }
    },
    sizeBytes: async () => (await stat(join(directory, DATA_FILE))).size,
    close: async () => {
      if (isClosed) return
      isClosed = true
      await withoutExit(() => root.close())
      onClose()
    },
  }
}

/** lmdb-js rejects a failed commit with a placeholder. The reason (a full disk) rejects a second promise. */
async function causeOf(thrown: unknown): Promise<unknown> {
  const reason = (thrown as { commitError?: Promise<never> } | undefined)?.commitError
  return reason === undefined ? thrown : await reason.catch((cause: unknown) => cause)
}

function coded(code: UnavailableCode, directory: string, thrown: unknown): UpswellError {
  if (isUpswellError(thrown)) return thrown
  return new UpswellError(code, `The data directory ${directory} failed: ${describeError(thrown)}`, {
    canRetry: true,
    cause: thrown,
  })
}
