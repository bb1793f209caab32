import { expect, it } from 'vitest'
import {
  cpuSecondsOf,
  peakRssBytesOf,
  readCpuSeconds,
  readPeakRssBytes,
} from '../../bench/machine/process-usage.ts'

it('reads the processor time after a program name with spaces and parentheses', () => {
  const stat = '42 (a (strange) name) S 1 42 42 0 -1 4194304 100 0 0 0 250 75 9 9 20 0 1 0 100 1000 10'
  expect(readCpuSeconds(stat)).toBe(3.25)
})

it('the peak of memory is VmHWM, not the present use', () => {
  expect(readPeakRssBytes('Name:\tnode\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n')).toBe(2 * 2 ** 20)
  expect(() => readPeakRssBytes('Name:\tnode\n')).toThrow('has ended')
})

it.runIf(process.platform === 'linux')('reads the usage of a process on this machine', () => {
  expect(cpuSecondsOf(process.pid)).toBeGreaterThan(0)
  expect(peakRssBytesOf(process.pid)).toBeGreaterThan(2 ** 20)
})
