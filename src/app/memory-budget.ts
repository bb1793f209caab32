import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

const MIB = 1024 * 1024

// What the process holds is one fifth of its memory. The rest is for Node itself and the modules (about 130
// MiB), for what a step or a write makes and drops again, and for V8, which lets the heap grow to about twice
// what is in use before it collects. V8 takes half of a container's memory for its heap.
const HELD = 1 / 5
const HEAP = 1 / 2

/** How the memory that the process holds is divided. */
const ACCOUNTS = 5 / 8
const FETCHED = 1 / 8
const REQUESTS = 1 / 4

/** Without a limit, more than this is only taken if a setting says so. */
const UNASKED_MIB = 4096
/** With less, the process would have no room for anything but itself. */
export const LEAST_MEMORY_MIB = 256

/** What is known about the memory of this process. */
export interface MemoryFacts {
  /** `UPSWELL_MEMORY_MB`; 0: not set. */
  readonly settingMib: number
  /** The limit of the process's container; undefined: there is none. */
  readonly containerBytes: number | undefined
  readonly machineBytes: number
  /** V8's limit of this thread's heap. */
  readonly heapBytes: number
  /** The threads that share the process's memory. */
  readonly threads: number
}

/** The memory that this thread may hold, in bytes. Each part has an owner that keeps to it. */
export interface MemoryBudget {
  /** What the process may take in all, or this thread's part of it. */
  readonly memoryBytes: number
  /** Where `memoryBytes` comes from. */
  readonly reason: string
  /** The accounts in memory, with what is not in the store yet. */
  readonly accountsBytes: number
  /** The brokers' answers. */
  readonly fetchedBytes: number
  /** What the API loads for the requests under way. */
  readonly requestsBytes: number
  readonly warning: MemoryWarning | undefined
}

/** Why the memory is less than was asked for, or than a process needs. */
export interface MemoryWarning {
  readonly found: string
  readonly advice: string
  /** A process with so little may be killed. */
  readonly isTooLittle: boolean
}

export function memoryBudget(facts: MemoryFacts): MemoryBudget {
  const { settingMib, containerBytes, machineBytes, heapBytes, threads } = facts
  const limits = [
    ...(settingMib > 0 ? [{ bytes: settingMib * MIB, reason: 'UPSWELL_MEMORY_MB' }] : []),
    ...(containerBytes === undefined ? [] : [{ bytes: containerBytes, reason: "the container's limit" }]),
    { bytes: machineBytes, reason: "the machine's memory" },
    ...(settingMib > 0 || containerBytes !== undefined
      ? []
      : [{ bytes: UNASKED_MIB * MIB, reason: 'the default' }]),
  ]
  const outer = limits.reduce((least, limit) => (limit.bytes < least.bytes ? limit : least))
  const ofHeap = { bytes: threads * (heapBytes / HEAP), reason: "the limit of Node's heap" }
  const least = ofHeap.bytes < outer.bytes ? ofHeap : outer
  const memoryBytes = Math.max(least.bytes, LEAST_MEMORY_MIB * MIB) / threads
  const held = HELD * memoryBytes
  return {
    memoryBytes,
    reason: least.reason,
    accountsBytes: ACCOUNTS * held,
    fetchedBytes: FETCHED * held,
    requestsBytes: REQUESTS * held,
    warning: warningOf(facts, least),
  }
}

function warningOf(
  { settingMib }: MemoryFacts,
  { bytes, reason }: { readonly bytes: number; readonly reason: string },
): MemoryWarning | undefined {
  const mib = Math.floor(bytes / MIB)
  if (mib < LEAST_MEMORY_MIB)
    return {
      found: `${reason} is ${mib} MiB, but a process needs ${LEAST_MEMORY_MIB} MiB`,
      advice: 'give it more, or the process may be killed',
      isTooLittle: true,
    }
  if (settingMib <= mib) return undefined
  const advice =
    reason === "the limit of Node's heap"
      ? `set NODE_OPTIONS=--max-old-space-size=${Math.ceil(settingMib * HEAP)} too`
      : 'give it as much, or set less'
  const found = `UPSWELL_MEMORY_MB is ${settingMib}, but ${reason} allows ${mib} MiB, which counts`
  return { found, advice, isTooLittle: false }
}

/** The facts of this process and thread. */
export function memoryFacts(settings: {
  readonly memoryMib: number
  readonly scoreThreads: number
}): MemoryFacts {
  const machineBytes = totalmem()
  // 0, or more than the machine has: no limit.
  const constrained = process.constrainedMemory()
  return {
    settingMib: settings.memoryMib,
    containerBytes: constrained > 0 && constrained < machineBytes ? constrained : undefined,
    machineBytes,
    heapBytes: getHeapStatistics().heap_size_limit,
    threads: settings.scoreThreads,
  }
}
