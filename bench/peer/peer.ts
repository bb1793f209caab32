import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** A run as the Kafka Streams job reports it, in its line of JSON. */
export interface PeerRun {
  readonly job: string
  readonly events: number
  readonly seconds: number
  /** The whole process since its start. */
  readonly cpuSeconds: number
  readonly peakRssMiB: number
  readonly tierChanges: number
  readonly sha256: string
}

export interface PeerRunOptions {
  readonly threads: number
  readonly heap: PeerHeap
}

/** `small`: the least heap that it works with. Its memory is mostly the heap that it is given. */
export type PeerHeap = 'usual' | 'small'

const HEAPS: Readonly<Record<PeerHeap, string>> = {
  usual: '-Xms512m -Xmx512m -XX:+UseParallelGC',
  small: '-Xms128m -Xmx128m -XX:+UseParallelGC',
}

export const PEER_SIGNALS = 'bench-signals'
export const PEER_LIVE_SIGNALS = 'bench-signals-live'
export const PEER_LIVE_CHANGES = 'bench-tier-changes-live'
const SEED = 42

/** The Kafka Streams job, in its folder, on a broker on 127.0.0.1. */
export interface Peer {
  /** Empties `bench-signals` and fills it. */
  produce(signals: number): Promise<void>
  /** Writes the same signals to a file, one JSON a line. */
  dump(signals: number, file: string): Promise<void>
  run(options: PeerRunOptions): Promise<PeerRun>
  /** Empties its live topics. */
  resetLive(): Promise<void>
  /** Lets it score its live topics until it is stopped. */
  serve(): Promise<{ stop(): Promise<void> }>
}

/**
 * `dataDir` holds what the job keeps between its commands.
 * @throws Error if the job is missing or cannot be built
 */
export async function openPeer(folder: string, brokerPort: number, dataDir: string): Promise<Peer> {
  const directory = resolve(folder)
  if (!existsSync(join(directory, 'bench.sh')))
    throw new Error(`${directory} has no bench.sh; give --peer the folder of the Kafka Streams job`)
  const environment = (heap: PeerHeap = 'usual') => ({
    ...process.env,
    BENCH_DATA: dataDir,
    PORT: String(brokerPort),
    BOOTSTRAP: `127.0.0.1:${brokerPort}`,
    APP_JVM: HEAPS[heap],
  })
  const bench = (words: readonly string[], heap?: PeerHeap) =>
    runToEnd(spawn('./bench.sh', words, { cwd: directory, env: environment(heap), stdio: PIPED }), words)
  const java = (flags: string, words: readonly string[]) => {
    const args = [
      ...flags.split(' '),
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      ...['-cp', 'target/classes:target/lib/*', ...words],
    ]
    return spawn('java', args, { cwd: directory, env: environment(), stdio: PIPED })
  }
  if (!existsSync(join(directory, 'target/classes/bench/App.class'))) await bench(['build'])
  return {
    produce: async signals => void (await bench(['produce', `n=${signals}`, `seed=${SEED}`])),
    dump: async (signals, file) =>
      void (await bench(['produce', `n=${signals}`, `seed=${SEED}`, `dump=${file}`])),
    run: async ({ threads, heap }) => {
      const output = await bench(['run', 'sweep=true', `threads=${threads}`], heap)
      return JSON.parse(output.trim().split('\n').at(-1)!) as PeerRun
    },
    resetLive: async () => {
      const words = ['bench.Latency', 'reset=true']
      await runToEnd(java(HEAPS.small, words), words)
    },
    serve: async () => {
      const child = java(HEAPS.usual, [
        ...['bench.App', 'serve=true', 'reset=false', 'sweep=true', `id=bench-streams-live-${Date.now()}`],
        ...[`input=${PEER_LIVE_SIGNALS}`, `output=${PEER_LIVE_CHANGES}`],
      ])
      await untilSays(child, 'READY')
      return {
        stop: async () => {
          const ended = once(child, 'exit')
          child.kill('SIGTERM')
          await ended
        },
      }
    },
  }
}

const PIPED = ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit']

async function runToEnd(child: ChildProcess, words: readonly string[]): Promise<string> {
  let output = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the Kafka Streams job's "${words.join(' ')}" ended with exit code ${code}`)
  return output
}

async function untilSays(child: ChildProcess, word: string): Promise<void> {
  const lines = createInterface({ input: child.stdout! })
  const said = new Promise<void>((done, fail) => {
    lines.on('line', line => {
      if (line.includes(word)) done()
    })
    child.once('exit', code => fail(new Error(`the Kafka Streams job ended with exit code ${code}`)))
  })
  await said
}
