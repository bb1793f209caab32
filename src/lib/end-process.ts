// lmdb-js writes on another thread, which calls back into the main thread for each transaction.
// `process.exit` joins that thread: during a write the main thread would wait for it, and it for the main
// thread, for ever, with the lock of the data directory.

/** A write that ends soon ends in milliseconds; a disk that hangs must not keep the process. */
const WAIT_MS = 2_000

// A module holds this state because the danger is to the process.
let writesUnderWay = 0
let exit: (() => void) | undefined

/** Runs a write of LMDB, so that the process does not end in it. While the process ends it never resolves. */
export async function withoutExit<Result>(write: () => Promise<Result>): Promise<Result> {
  if (exit !== undefined) return new Promise(() => {})
  writesUnderWay++
  try {
    return await write()
  } finally {
    writesUnderWay--
    exitIfIdle()
  }
}

function exitIfIdle(): void {
  if (writesUnderWay === 0) exit?.()
}

/** Ends the process: at once, or after the writes that are under way. Use it in place of `process.exit`. */
export function endProcess(code: number): void {
  if (exit !== undefined) return
  if (writesUnderWay === 0) {
    process.exit(code)
    return
  }
  exit = () => process.exit(code)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), WAIT_MS)
}
