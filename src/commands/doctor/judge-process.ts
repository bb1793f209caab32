import { LEAST_MEMORY_MIB, type MemoryFacts, memoryBudget } from '../../app/memory-budget.ts'
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

const MIB = 1024 * 1024

/** The memory that a process with these settings has: which limit counts, and what it may hold. */
export function judgeMemory(facts: MemoryFacts): Finding {
  const { threads } = facts
  const { memoryBytes, reason, warning: less, ...budget } = memoryBudget(facts)
  const all = (bytes: number) => bytesText(threads * bytes)
  const held = `it holds up to ${all(budget.accountsBytes)} of accounts, ${all(budget.fetchedBytes)} of brokers' answers and ${all(budget.requestsBytes)} for requests`
  const sharing = threads === 1 ? '' : `, shared by ${threads} threads`
  const found = `a process has ${all(memoryBytes)} (${reason}), and ${held}${sharing}`
  if (less === undefined) return ok('memory', found)
  return (less.isTooLittle ? problem : warning)(
    'memory',
    `${less.found}; ${found}`,
    `at least ${LEAST_MEMORY_MIB} MiB, and no more in UPSWELL_MEMORY_MB than the container and Node's heap allow`,
    `${less.advice}; see "Memory" in docs/scale.md`,
  )
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
