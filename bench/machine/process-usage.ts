import { readdirSync, readFileSync } from 'node:fs'

/** The unit of /proc/PID/stat on every Linux that Node supports. */
const TICKS_PER_SECOND = 100

/**
 * CPU seconds of a process on this machine since it began: all threads, user and system mode.
 * @throws Error if it ended, or this is not Linux
 */
export function cpuSecondsOf(pid: number): number {
  return readCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

/**
 * The most memory that a process on this machine has held (VmHWM), bytes.
 * @throws Error if it ended, or this is not Linux
 */
export function peakRssBytesOf(pid: number): number {
  return readPeakRssBytes(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** `cpuSecondsOf`, or undefined where there is no such process or no /proc. */
export function cpuSecondsIfKnown(pid: number | undefined): number | undefined {
  try {
    return pid === undefined ? undefined : cpuSecondsOf(pid)
  } catch {
    return undefined
  }
}

/**
 * Finds the child of this process that runs this command, for example a server that was started for the
 * bench.
 */
export function childNamed(command: string): number | undefined {
  try {
    return readdirSync('/proc')
      .map(Number)
      .find(pid => pid > 0 && Number(parentOf(pid)) === process.pid && nameOf(pid).includes(command))
  } catch {
    return undefined
  }
}

function parentOf(pid: number): string | undefined {
  try {
    return fieldsAfterName(readFileSync(`/proc/${pid}/stat`, 'utf8'))[1]
  } catch {
    return undefined
  }
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'latin1').trim()
}

/** Reads the text of /proc/PID/stat. */
export function readCpuSeconds(stat: string): number {
  const fields = fieldsAfterName(stat)
  // Fields 14 and 15 of proc(5).
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Field 3 of proc(5), the state, is the first here. The name before it may hold spaces and parentheses. */
function fieldsAfterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** Reads the text of /proc/PID/status. */
export function readPeakRssBytes(status: string): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kib === undefined) throw new Error('/proc/PID/status has no VmHWM: the process has ended')
  return Number(kib) * 1024
}
