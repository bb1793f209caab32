import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundsFor, exceeded, readBounds, runningNode } from '../../bench/counters/counters-bounds.ts'
import { type Counters, measureCounters } from '../../bench/counters/counters-measure.ts'
import { readModel } from '../../bench/signals/models.ts'
import { PACKAGE_ROOT } from '../../src/app/config.ts'

const COUNTERS: Counters = {
  storeCallsPerBatch: 4,
  transactionsPerBatch: 1,
  storeCallsPerTick: 4,
  decodeBytesPerSignal: 1000,
  foldBytesPerSignal: 2000,
}

describe('the cost of a signal and a batch', () => {
  let build: string

  beforeAll(async () => {
    build = await mkdtemp(join(tmpdir(), 'counters-'))
    // What is built there finds its dependencies.
    await symlink(join(PACKAGE_ROOT, 'node_modules'), join(build, 'node_modules'))
    const tsc = join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc')
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', build]
    // Other checks cover types. A type error does not keep the build from writing its files.
    await promisify(execFile)(process.execPath, args, { cwd: PACKAGE_ROOT }).catch(() => {})
  }, 120_000)

  afterAll(async () => {
    await rm(build, { recursive: true, force: true })
  })

  it('is within bench/counters/bounds.json', { timeout: 300_000 }, async () => {
    const counters = await measureCounters(
      join(build, 'bench/counters/counters-allocation.js'),
      readModel('rolling-score'),
    )
    expect(counters.transactionsPerBatch).toBe(1)
    expect(exceeded(counters, readBounds(), runningNode())).toEqual([])
  })
})

describe('the bounds of the counters', () => {
  it('hold for the counters from which they were made', () => {
    expect(exceeded(COUNTERS, boundsFor(COUNTERS, 20), 20)).toEqual([])
  })

  it('allow no additional call, and few bytes', () => {
    const { most } = boundsFor(COUNTERS, 20)
    expect([most.storeCallsPerBatch, most.transactionsPerBatch, most.storeCallsPerTick]).toEqual([4, 1, 4])
    expect([most.decodeBytesPerSignal, most.foldBytesPerSignal]).toEqual([1030, 2060])
  })

  it('report the count, the bound, and what to do', () => {
    const found = { ...COUNTERS, storeCallsPerBatch: 5, foldBytesPerSignal: 2061 }
    const [calls, bytes, ...more] = exceeded(found, boundsFor(COUNTERS, 20), 20)
    expect(calls).toContain('5 calls of the store for a batch, where bench/counters/bounds.json allows 4')
    expect(bytes).toContain(
      '2061 bytes of memory to fold a signal, where bench/counters/bounds.json allows 2060',
    )
    for (const sentence of [calls, bytes])
      expect(sentence).toContain('node dist/bench/counters/counters.js --update')
    expect(more).toEqual([])
  })

  it('for bytes apply to one version of Node; bounds for calls apply to all', () => {
    const found = { ...COUNTERS, storeCallsPerBatch: 5, foldBytesPerSignal: 9000 }
    expect(exceeded(found, boundsFor(COUNTERS, 20), 24)).toHaveLength(1)
  })
})
