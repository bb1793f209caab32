import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { renameUnlessThere, withFileLock } from './file-lock.ts'

/** Where the parts of a Kafka and a Redis lie on this machine. */
export type MavenArtifacts = {
  /** For Java's `-cp`. */
  readonly kafkaClasspath: string
  readonly redisServer: string
}

/** Maven was there but fetched nothing: most often, no network. */
export class MavenFetchError extends Error {}

const FETCH_TIMEOUT_MS = 300_000

/** Keeps a JVM from writing `/tmp/hsperfdata_USER`. */
export const NO_PERF_DATA = '-XX:-UsePerfData'

const pomFile = join(import.meta.dirname, 'kafka-redis-pom.xml')
const cacheDir = resolve(import.meta.dirname, '../../../node_modules/.cache/upswell')
const redisPlatform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
const redisPlatforms: readonly string[] = ['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64']

/** Says what this machine lacks to run Kafka and Redis from Maven's artifacts; undefined when nothing is. */
export async function missingForMaven(): Promise<string | undefined> {
  if (!redisPlatforms.includes(redisPlatform)) return `no redis-server is published for ${redisPlatform}`
  const javaVersion = await readJavaVersion()
  if (javaVersion === undefined) return 'no java on PATH'
  if (javaVersion < 17) return `java on PATH is version ${javaVersion}, 17 is needed`
  if (existsSync(await artifactsDir())) return undefined
  return (await canRun('mvn')) ? undefined : 'no mvn on PATH'
}

/** Fetches the artifacts once per version of the POM; later calls, in any process, find them in the cache. */
export async function fetchMavenArtifacts(): Promise<MavenArtifacts> {
  const dir = await artifactsDir()
  if (!existsSync(dir)) {
    await mkdir(cacheDir, { recursive: true })
    await withFileLock(`${dir}.lock`, FETCH_TIMEOUT_MS, async () => {
      if (!existsSync(dir)) await fetchInto(dir)
    })
  }
  return { kafkaClasspath: join(dir, 'kafka', '*'), redisServer: join(dir, 'redis-server') }
}

async function fetchInto(dir: string): Promise<void> {
  await removePartials(dir)
  const partialDir = await mkdtemp(`${dir}.partial-`)
  const goals = ['dependency:copy-dependencies@kafka', 'dependency:unpack@redis']
  const settings = [`-Dinto=${partialDir}`, `-Dredis.platform=${redisPlatform}`]
  await runMaven(['-f', pomFile, ...settings, ...goals])
  const [redisServer, ...others] = await readdir(join(partialDir, 'redis'))
  if (redisServer === undefined || others.length > 0) throw new Error('embedded-redis holds not one server')
  await rename(join(partialDir, 'redis', redisServer), join(partialDir, 'redis-server'))
  await chmod(join(partialDir, 'redis-server'), 0o755)
  // The directory appears whole or not at all.
  await renameUnlessThere(partialDir, dir)
}

/** Removes what killed runs left. */
async function removePartials(dir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const path = join(cacheDir, name)
    if (!path.startsWith(`${dir}.partial-`)) continue
    const { mtimeMs } = await stat(path)
    // Maven may not take longer, so nobody fills it any more.
    if (Date.now() - mtimeMs > FETCH_TIMEOUT_MS) await rm(path, { recursive: true, force: true })
  }
}

async function runMaven(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('mvn', ['-B', '-q', ...args], {
      timeout: FETCH_TIMEOUT_MS,
      env: mavenEnvironment(),
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new MavenFetchError(`mvn could not fetch Kafka and Redis: ${stdout ?? ''}${stderr ?? error}`)
  }
}

/** A JVM ignores TMPDIR; with these options it leaves nothing in `/tmp`. */
function mavenEnvironment(): NodeJS.ProcessEnv {
  const options = [process.env['MAVEN_OPTS'] ?? '', NO_PERF_DATA, `-Djava.io.tmpdir=${tmpdir()}`]
  return { ...process.env, MAVEN_OPTS: options.join(' ').trim() }
}

async function artifactsDir(): Promise<string> {
  const pomHash = createHash('sha256')
    .update(await readFile(pomFile))
    .digest('hex')
  return join(cacheDir, `kafka-redis-${redisPlatform}-${pomHash.slice(0, 12)}`)
}

async function readJavaVersion(): Promise<number | undefined> {
  const output = await promisify(execFile)('java', [NO_PERF_DATA, '-version']).catch(() => undefined)
  const version = output?.stderr.match(/version "(\d+)/)?.[1]
  return version === undefined ? undefined : Number(version)
}

async function canRun(command: string): Promise<boolean> {
  return promisify(execFile)(command, ['-version'], { env: mavenEnvironment() }).then(
    () => true,
    () => false,
  )
}
