import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { buildCli, runCli, temporaryFolder } from '../commands/cli.ts'

const BUILD_TIMEOUT_MS = 150_000
/** A process that waits for itself never ends. */
const HANGS_AFTER_MS = 20_000

let main: string
beforeAll(async () => {
  main = await buildCli()
}, BUILD_TIMEOUT_MS)

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Runs Node.js to its end. `readsOutput: false`: the readers of its output and messages leave at once. */
async function runNode(args: readonly string[], env = {}, readsOutput = true): Promise<Ended> {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env
  const child = spawn(process.execPath, args, {
    cwd: await temporaryFolder(),
    env: { PATH, HOME, TMPDIR, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: HANGS_AFTER_MS,
    killSignal: 'SIGKILL',
  })
  if (readsOutput) {
    child.stdout.resume()
    child.stderr.resume()
  } else {
    child.stdout.destroy()
    child.stderr.destroy()
  }
  return new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
}

/** Writes without a pause, ends itself during a write, and must not begin another one after that. */
const WRITES_AND_ENDS = (lib: string, directory: string) => `
  const { openLmdbEnvironment } = await import(${JSON.stringify(join(lib, 'lmdb/lmdb-environment.js'))})
  const { endProcess } = await import(${JSON.stringify(join(lib, 'end-process.js'))})
  const environment = await openLmdbEnvironment(${JSON.stringify(directory)})
  const table = environment.table('test')
  const key = Buffer.from('key')
  const write = () => environment.write('LOG_UNAVAILABLE', { check() {}, apply() { void table.put(key, key) } })
  for (let i = 0; i < 20; i++) await write()
  void write().then(write).then(() => process.exit(9))
  setImmediate(() => { endProcess(3); endProcess(4) })
`

test('a process that ends during a write of LMDB ends, and nothing is written after that', async () => {
  const lib = join(main, '../lib')
  for (let i = 0; i < 5; i++) {
    const script = WRITES_AND_ENDS(lib, join(await temporaryFolder(), 'data'))
    expect(await runNode(['--input-type=module', '--eval', script])).toEqual({ code: 3, signal: null })
  }
}, 60_000)

test('upswell start stops when the reader of its output leaves, as head does', async () => {
  const env = { UPSWELL_DATA_DIR: join(await temporaryFolder(), 'data'), UPSWELL_PORT: '0' }
  expect(await runNode([main, 'start', '--empty'], env, false)).toEqual({ code: 0, signal: null })
  // The lock of the folder is free.
  const sent = await runCli(main, ['send', '-'], { env, input: '' })
  expect(sent).toMatchObject({ code: 0, stdout: 'Sent 0 signals to signals.\n' })
}, 60_000)
