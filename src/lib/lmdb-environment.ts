import { access, constants, mkdir, open as openFile, realpath, stat } from 'node:fs/promises'
import { endianness } from 'node:os'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { describeError, isUpswellError, UpswellError } from './errors.ts'

/** The layout of the tables and of what stands in them. A format that has shipped is never edited: add the next. */
const FORMAT = '1'
const META_TABLE = 'upswell-meta'
const FORMAT_KEY = Buffer.from('format')
/**
 * Seven for each namespace that a process opens, and those of the log. LMDB takes 7 to 120 words for each in a transaction: one took 1.0 ms
 * with 32, 256 and 1,024 alike.
 */
const MAX_TABLES = 256
const DATA_FILE = 'data.mdb'
const LOCK_FILE = 'lock.mdb'

/**
 * Directories that are open in this process. The one piece of state of a module, because the harm is the process's: opened
 * twice, lmdb-js blocks the main thread for the write lock while the thread that holds it waits for the main thread.
 */
const openDirectories = new Set<string>()

/** Ordered pairs of bytes. Values that are read are copies, the reader's to keep. */
export type LmdbTable = Database<Buffer, Buffer>

/** What a failure of LMDB itself is called at the port where it shows. */
export type UnavailableCode = 'LOG_UNAVAILABLE' | 'STORE_UNAVAILABLE'

/**
 * A write in two halves, so that several can share a transaction: every check comes before the first put, because lmdb-js
 * keeps the puts of an action that throws. Whatever can be encoded is encoded before; the write lock is held for both halves.
 */
export interface PreparedWrite<Result = void> {
  /** Reads, and throws to refuse. */
  check(): void
  /** Puts; has nothing left that could throw. */
  apply(): Result
}

/**
 * One LMDB environment, shared by the log and the store of the embedded default, and by several processes.
 *
 * What holds after a crash: a transaction is flushed (data, then the page that points to it) before any reader sees it and before
 * its promise resolves. A process that is killed, and a machine that loses power, leave exactly the transactions that had become
 * visible, plus at most those under way that were complete; never a part of one. The disk must honour fdatasync.
 */
export interface LmdbEnvironment {
  readonly directory: string
  /** For single values of the whole environment. */
  readonly meta: LmdbTable
  /** Opens a table, made at the first time. Call it when starting up: it waits for the write lock. */
  table(name: string): LmdbTable
  /** Runs reads of one turn of the event loop: they see one snapshot. @throws UpswellError `code` */
  read<Result>(code: UnavailableCode, action: () => Result): Result
  /**
   * One transaction; resolves when it is durable. What is enqueued while another one is being flushed is flushed with it together.
   * @throws UpswellError what `check` throws, and then nothing was written; `code`: not known whether it happened.
   */
  write<Result>(code: UnavailableCode, write: PreparedWrite<Result>): Promise<Result>
  /**
   * Removes all entries of a table in one transaction, off the main thread; resolves when it is durable.
   * @throws UpswellError `code`: not known whether it happened.
   */
  empty(code: UnavailableCode, table: LmdbTable): Promise<void>
  /** Size of the data file. LMDB uses free pages again, but never gives them back. */
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

/**
 * Opens the environment in `directory`, which is made if it is missing. A process opens a directory once at a time.
 * @throws UpswellError STORE_UNAVAILABLE: the directory cannot be written; STATE_UNREADABLE: what is there is not ours, or of another format.
 */
export async function openLmdbEnvironment(directory: string): Promise<LmdbEnvironment> {
  // Both before lmdb-js is asked: 3.5.6 ends the process with a segmentation fault where opening fails.
  await requireWritable(directory)
  await requireLmdbFile(directory)
  const path = await realpath(directory)
  if (openDirectories.has(path)) throw new Error(`The data directory ${path} is open in this process already`)
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
      `The data directory ${directory} cannot be written (${describeError(thrown)}). Give this user the right to write it, or name another directory.`,
      { cause: thrown },
    )
  }
}

/** The first page of an LMDB file: behind a header of 24 bytes its mark and its version, as the machine writes numbers. */
async function requireLmdbFile(directory: string): Promise<void> {
  const path = join(directory, DATA_FILE)
  if (!(await exists(path))) return
  const file = await openFile(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0).finally(() => file.close())
  // A process that was killed before its first write leaves an empty file, which LMDB fills.
  if (bytesRead === 0) return
  const isLittle = endianness() === 'LE'
  const mark = isLittle ? buffer.readUInt32LE(24) : buffer.readUInt32BE(24)
  const version = (isLittle ? buffer.readUInt32LE(28) : buffer.readUInt32BE(28)) & 0xffff
  if (mark === 0xbeefc0de && version === 2) return
  throw unreadable(directory, `${DATA_FILE} is not of LMDB, or of another version of it`)
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

function openRoot(directory: string): RootDatabase<Buffer, string> {
  try {
    return open<Buffer, string>(directory, {
      encoding: 'binary',
      maxDbs: MAX_TABLES,
      // lmdb-js takes a path with a dot in it for a file's.
      noSubdir: false,
      // With overlapping sync a commit is visible before it is durable, and a power loss could take back what a reader was
      // shown. It gained nothing either: batches of 1,000 puts took 12.8 ms without and 15.8 ms with it, 8 at a time 9.6 and 13.8.
      overlappingSync: false,
      // It would only hold back single puts, of which there are none, and it makes a promise of its own for each batch that
      // nobody can handle: a full disk would end the process.
      eventTurnBatching: false,
    })
  } catch (thrown) {
    throw unreadable(directory, describeError(thrown), thrown)
  }
}

function unreadable(directory: string, reason: string, cause?: unknown): UpswellError {
  return new UpswellError(
    'STATE_UNREADABLE',
    `The data directory ${directory} holds no LMDB environment that this version can open (${reason}). Name another directory, or move its files away.`,
    { cause },
  )
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
  // In a transaction, because two processes may open a new directory at once.
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
        return await root.transaction(() => {
          write.check()
          return write.apply()
        })
      } catch (thrown) {
        throw coded(code, directory, await causeOf(thrown))
      }
    },
    empty: async (code, table) => {
      requireOpen(code)
      try {
        await table.clearAsync()
      } catch (thrown) {
        throw coded(code, directory, await causeOf(thrown))
      }
    },
    sizeBytes: async () => (await stat(join(directory, DATA_FILE))).size,
    close: async () => {
      if (isClosed) return
      isClosed = true
      await root.close()
      onClose()
    },
  }
}

/** lmdb-js rejects a failed commit with a placeholder; the reason (a full disk) rejects another promise, which must be awaited too. */
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
