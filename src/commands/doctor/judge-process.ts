import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { Config } from '../../app/config.ts'
import { type Finding, notChecked, ok, problem, warning } from './finding.ts'
import { bytesText } from './units.ts'

/** The oldest Node.js that package.json accepts. */
const OLDEST_NODE = [20, 19] as const

/** @param version such as `v20.19.0` */
export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  const isAccepted = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  if (isAccepted) return ok('node', `Node.js ${version}`)
  return problem('node', `Node.js ${version}`, `${OLDEST_NODE.join('.')} or newer`, 'install a newer Node.js')
}

export interface MemoryFacts {
  /** What one V8 heap may take, bytes. */
  readonly heapLimit: number
  /** What the process may take: the container's limit, or the machine's memory, bytes. */
  readonly processLimit: number
  readonly limitedBy: 'container' | 'machine'
  /** How many heaps the process has. */
  readonly heaps: number
}

/** The single place that reads what a process may use: a memory budget of its own belongs here, too. */
export function readMemoryFacts({ scoreThreads }: Pick<Config, 'scoreThreads'>): MemoryFacts {
  const machine = totalmem()
  // Without a limit of a container it is 0, or larger than any machine.
  const constrained = process.constrainedMemory()
  const isLimited = constrained > 0 && constrained < machine
  return {
    heapLimit: getHeapStatistics().heap_size_limit,
    processLimit: isLimited ? constrained : machine,
    limitedBy: isLimited ? 'container' : 'machine',
    // One thread scores in the main heap.
    heaps: scoreThreads === 1 ? 1 : scoreThreads + 1,
  }
}

const MIB = 1024 * 1024
/** Measured beside the heap of a scorer: fetched bytes, requests of Redis, code. */
const BESIDE_HEAP = 200 * MIB
const SMALL_HEAP = 512 * MIB

export function judgeMemory({ heapLimit, processLimit, limitedBy, heaps }: MemoryFacts): Finding {
  const heapText = `${heaps === 1 ? 'a heap' : `${heaps} heaps`} of up to ${bytesText(heapLimit)}`
  const found = `${heapText}, and the ${limitedBy} has ${bytesText(processLimit)}`
  const needed = heaps * heapLimit + BESIDE_HEAP
  if (needed > processLimit)
    return problem(
      'memory',
      found,
      `${bytesText(needed)} or more: the heaps, and ${bytesText(BESIDE_HEAP)} beside them`,
      `raise the limit of the ${limitedBy}, or set NODE_OPTIONS=--max-old-space-size, in MiB, to less: the system kills a process that takes more`,
    )
  // V8's own limit is a little above the whole number that was set.
  if (heapLimit < SMALL_HEAP)
    return warning(
      'memory',
      found,
      `a heap of ${bytesText(SMALL_HEAP)} or more for a scorer`,
      'set NODE_OPTIONS=--max-old-space-size=512 or more; "Sizing" in docs/runbook.md has numbers',
    )
  return ok('memory', found)
}

/** @param failure why the files cannot be used; undefined: they can */
export function judgeModelFiles(models: readonly string[], failure: string | undefined): Finding {
  if (failure === undefined) return ok('model-files', `${models.length} valid models: ${models.join(', ')}`)
  return problem(
    'model-files',
    failure.split('\n').join(', '),
    'model files that `upswell model check` accepts',
    'correct the files, or UPSWELL_MODELS',
  )
}

export interface FolderFacts {
  readonly path: string
  readonly isStarted: boolean
  readonly dataBytes: number
  /** Undefined: the system did not say. */
  readonly freeBytes: number | undefined
  /** Why log and store in it cannot be opened; undefined: they can, or nothing is there. */
  readonly failure: string | undefined
  readonly isConsumed: boolean
}

/** A replay, or a rebuild, needs as much again. */
const SPACE_FACTOR = 2
const LEAST_SPACE = 1024 * MIB

/** For the embedded default. */
export function judgeFolder(folder: FolderFacts): Finding[] {
  const { path, isStarted, dataBytes, freeBytes, failure, isConsumed } = folder
  const there = isStarted
    ? ok('folder', `${path} holds ${bytesText(dataBytes)}`)
    : ok('folder', `${path} holds no data: the next \`upswell start\` creates it`)
  const unusable = () =>
    problem(
      'folder',
      failure!,
      'a folder that Upswell made, and may write',
      'name another folder with UPSWELL_DATA_DIR, or correct its rights',
    )
  const user = isConsumed
    ? ok('folder-process', 'a process scores in it')
    : ok('folder-process', 'no process scores in it now')
  return [
    failure === undefined ? there : unusable(),
    judgeSpace(dataBytes, freeBytes),
    failure === undefined ? user : notChecked('folder-process', 'the folder cannot be opened'),
  ]
}

function judgeSpace(dataBytes: number, freeBytes: number | undefined): Finding {
  if (freeBytes === undefined) return notChecked('folder-space', 'the system did not say how much is free')
  const wanted = Math.max(LEAST_SPACE, SPACE_FACTOR * dataBytes)
  const found = `${bytesText(freeBytes)} free`
  if (freeBytes >= wanted) return ok('folder-space', found)
  return warning(
    'folder-space',
    found,
    `${bytesText(wanted)} or more: a replay needs as much as the data has`,
    'free some space: when the disk is full, nothing is scored',
  )
}
