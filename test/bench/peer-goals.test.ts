import { describe, expect, it } from 'vitest'
import { judgeLatencies, judgeRuns, type PairedRuns } from '../../bench/peer/peer-goals.ts'
import type { PairedRun } from '../../bench/peer/peer-pairing.ts'
import { renderPairing } from '../../bench/peer/peer-report.ts'

const fingerprint = { tierChanges: 7, sha256: 'abc' }
const run = (seconds: number, cpuSeconds: number, mib: number, more: Partial<PairedRun> = {}): PairedRun => ({
  seconds,
  cpuSeconds,
  peakBytes: mib * 2 ** 20,
  fingerprint,
  ...more,
})

const runs = (more: Partial<PairedRuns> = {}): PairedRuns => ({
  signals: 1_000_000,
  peerOneThread: [run(9, 14, 700), run(18, 15, 700), run(9, 14, 710)],
  oneProcess: [run(6, 9, 300), run(9, 9, 300), run(5, 8, 310)],
  peerTwoThreads: [run(8, 15, 730), run(8, 15, 730), run(8, 15, 730)],
  twoThreads: [run(6, 9, 400), run(6, 9, 400), run(6, 9, 400)],
  twoProcesses: [run(6, 9, 500), run(6, 9, 500), run(6, 9, 500)],
  peerSmallHeap: [run(9, 14, 350), run(9, 14, 350), run(9, 14, 350)],
  ...more,
})

describe('the goals against Kafka Streams', () => {
  it('use the median of the ratios of each round', () => {
    const [oneProcess, twoProcesses, processor, memory] = judgeRuns(runs())
    expect(oneProcess).toMatchObject({ ratios: [1.5, 2, 1.8], isMet: true })
    expect(twoProcesses!.ratios[0]).toBeCloseTo(1.333)
    expect(twoProcesses!.isMet).toBe(false)
    expect(processor).toMatchObject({ isMet: true })
    expect(memory).toMatchObject({ isMet: true })
  })

  it('compare memory with the small heap', () => {
    const [, , , memory] = judgeRuns(runs({ peerSmallHeap: [run(9, 14, 299)], oneProcess: [run(6, 9, 300)] }))
    expect(memory!.isMet).toBe(false)
  })

  it('require a quarter of the latency', () => {
    const latencies = (p50: number, p99: number) => ({
      sent: 1,
      seconds: 1,
      worstDelayMs: 0,
      measured: 1,
      p50,
      p90: p99,
      p99,
      max: p99,
    })
    const [p50, p99] = judgeLatencies({
      rate: 5_000,
      peer: [latencies(80, 160)],
      upswell: [latencies(20, 41)],
    })
    expect(p50!.isMet).toBe(true)
    expect(p99!.isMet).toBe(false)
  })

  it('are missed if the tier changes differ, however fast the runs are', () => {
    const twoProcesses = [run(1, 1, 1), run(1, 1, 1), run(1, 1, 1)]
    expect(renderPairing([runs({ twoProcesses })], undefined).allMet).toBe(true)
    const wrong = run(1, 1, 1, { fingerprint: { tierChanges: 8, sha256: 'def' } })
    const found = renderPairing([runs({ twoProcesses: [...twoProcesses.slice(1), wrong] })], undefined)
    expect(found.allMet).toBe(false)
    expect(found.markdown).toContain('DIFFER')
  })
})
