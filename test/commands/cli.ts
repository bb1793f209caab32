import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, onTestFinished } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { renameUnlessThere, withFileLock } from '../support/servers/file-lock.ts'

/** In `node_modules`, so that the build finds its dependencies. */
const CACHE_DIR = join(PACKAGE_ROOT, 'node_modules/.cache/upswell-cli-test')
const BUILD_TIMEOUT_MS = 120_000
const OLD_MS = 3_600_000

/**
 * Builds the command line as `npm run build` does, into a folder that is laid out like the package. Returns
 * the path of its `main.js`. All test files and runs on the same sources share one build.
 */
export async function buildCli(): Promise<string> {
  const dir = join(CACHE_DIR, await hashSources())
  await mkdir(CACHE_DIR, { recursive: true })
  await withFileLock(`${dir}.lock`, BUILD_TIMEOUT_MS, async () => {
    if (existsSync(dir)) {
      // No run that starts meanwhile takes it for an old one.
      await utimes(dir, new Date(), new Date())
      return
    }
    await removeOldBuilds()
    const partial = await mkdtemp(`${dir}.partial-`)
    const tsc = join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', join(partial, 'dist')]
    await promisify(execFile)(process.execPath, args, { cwd: PACKAGE_ROOT, timeout: BUILD_TIMEOUT_MS })
    await copyFile(join(PACKAGE_ROOT, 'package.json'), join(partial, 'package.json'))
    await symlink(join(PACKAGE_ROOT, 'models'), join(partial, 'models'))
    await renameUnlessThere(partial, dir)
  })
  return join(dir, 'dist/src/main.js')
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of ['src', 'schemas']) {
    const files = await readdir(join(PACKAGE_ROOT, folder), { recursive: true, withFileTypes: true })
    const paths = files.filter(file => file.isFile()).map(file => join(file.parentPath, file.name))
    for (const path of paths.sort()) hash.update(`${path}\n`).update(await readFile(path))
  }
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.build.json'])
    hash.update(await readFile(join(PACKAGE_ROOT, file)))
  return hash.digest('hex').slice(0, 16)
}

async function removeOldBuilds(): Promise<void> {
  for (const name of await readdir(CACHE_DIR)) {
    const path = join(CACHE_DIR, name)
    // Another run may remove it, too.
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? 0)
    if (age > OLD_MS) await rm(path, { recursive: true, force: true })
  }
}

export type Environment = Readonly<Record<string, string>>

export interface CliOptions {
  readonly env?: Environment
  /** A new empty folder, if left out. */
  readonly cwd?: string
  /** The content of standard input. */
  readonly input?: string | Buffer
  /** Standard input does not end. */
  readonly keepsInputOpen?: boolean
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export async function runCli(
  main: string,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Ended> {
  return new CliProcess(main, args, options).ended
}

/** Children that run: none outlives its test file. */
const running = new Set<ChildProcess>()
afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** A running command. The test that starts it must end it. */
export class CliProcess {
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #child: ChildProcess
  #end: Ended | undefined

  constructor(
    main: string,
    args: readonly string[],
    { env = {}, cwd, input, keepsInputOpen }: CliOptions = {},
  ) {
    // No other variables of the tests: they may hold settings. The end of a run finds processes by TMPDIR.
    const { PATH = '', HOME = '', TMPDIR = '' } = process.env
    this.#child = spawn(process.execPath, ['--enable-source-maps', main, ...args], {
      cwd: cwd ?? mkdtempSync(join(tmpdir(), 'cwd-')),
      env: { PATH, HOME, TMPDIR, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(this.#child)
    const stdin = this.#child.stdin!.on('error', () => {})
    if (keepsInputOpen) stdin.write(input ?? '')
    else stdin.end(input)
    this.#child.stdout!.setEncoding('utf8').on('data', text => {
      this.stdout += text
    })
    this.#child.stderr!.setEncoding('utf8').on('data', text => {
      this.stderr += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        running.delete(this.#child)
        this.#end = { code, signal, stdout: this.stdout, stderr: this.stderr }
        resolve(this.#end)
      })
    })
  }

  /** Ends the command after the current test, also if the test fails. */
  endWithTest(): this {
    onTestFinished(async () => {
      await this.kill('SIGKILL')
    })
    return this
  }

  get pid(): number {
    return this.#child.pid!
  }

  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }

  /** Waits for a text on standard output. */
  async says(pattern: RegExp, patienceMs = 30_000): Promise<RegExpExecArray> {
    return await this.#find(pattern, () => this.stdout, patienceMs)
  }

  /** Waits for a text on standard error. */
  async warns(pattern: RegExp, patienceMs = 30_000): Promise<RegExpExecArray> {
    return await this.#find(pattern, () => this.stderr, patienceMs)
  }

  async #find(pattern: RegExp, text: () => string, patienceMs: number): Promise<RegExpExecArray> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const found = pattern.exec(text())
      if (found !== null) return found
      if (this.#end !== undefined || performance.now() > deadline) {
        const how = this.#end === undefined ? `after ${patienceMs} ms` : `and ended with ${this.#end.code}`
        throw new Error(`it did not say ${pattern} ${how}:\n${this.stdout}\n${this.stderr}`)
      }
      await sleep(20)
    }
  }
}

/** A folder that is removed after the current test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'upswell-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Reads a JSON document from the API. */
export async function getJson(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url)
  return { status: response.status, body: await response.json() }
}

/** Polls the API until `isSo` accepts the answer. */
export async function untilJson<T>(
  url: string,
  isSo: (answer: { readonly status: number; readonly body: T }) => boolean,
  patienceMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const answer = (await getJson(url)) as { status: number; body: T }
    if (isSo(answer)) return answer.body
    if (performance.now() > deadline) throw new Error(`${url} still answers ${JSON.stringify(answer)}`)
    await sleep(25)
  }
}
