import { readFileSync } from 'node:fs'

/** Of /proc/PID/stat, as every Linux that Node runs on counts. */
const TICKS_PER_SECOND = 100

/** What a process of this machine has used since it began: all threads, user and system mode. @throws Error if it ended, or this is no Linux */
export function cpuSecondsOf(pid: number): number {
  return readCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

/** The most memory that a process of this machine has held (VmHWM), bytes. @throws Error if it ended, or this is no Linux */
export function peakRssBytesOf(pid: number): number {
  return readPeakRssBytes(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

/** Of the text of /proc/PID/stat. The name of the program, in parentheses, may itself hold spaces and parentheses. */
export function readCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Fields 14 and 15 of proc(5), whose third is the first here.
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Of the text of /proc/PID/status. */
export function readPeakRssBytes(status: string): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kib === undefined) throw new Error('there is no VmHWM in /proc/PID/status: the process has ended')
  return Number(kib) * 1024
}
