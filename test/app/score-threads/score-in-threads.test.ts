import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readConfig } from '../../../src/app/config.ts'
import { type ScoreThreadsOptions, scoreInThreads } from '../../../src/app/score-threads/score-in-threads.ts'
import type { ScoredCounts } from '../../../src/app/scored-counts.ts'
import { isUpswellError } from '../../../src/lib/errors.ts'
import { until } from '../../support/log-handlers.ts'

const MODELS = [{ file: 'm.yaml', text: 'id: m' }]

/** Threads that run this in place of the product's; `tell`, `status` and `onStop` are there. */
function running(code: string): URL {
  const module = `
    import { parentPort, workerData } from 'node:worker_threads'
    const tell = message => parentPort.postMessage(message)
    const status = (parts = {}) =>
      tell({ type: 'status', status: { problem: undefined, assignments: [], modelsActive: true, ...parts } })
    let onStop = () => tell({ type: 'stopped' })
    parentPort.on('message', message => message === 'stop' && onStop())
    ${code}`
  return new URL(`data:text/javascript,${encodeURIComponent(module)}`)
}

interface Started {
  readonly said: string[]
  readonly counts: ScoredCounts[]
  readonly deaths: Error[]
  readonly stop: AbortController
  readonly scoring: ReturnType<typeof scoreInThreads>
}

function start(code: string, options: Partial<ScoreThreadsOptions> = {}): Started {
  const started = { said: [] as string[], counts: [] as ScoredCounts[], deaths: [] as Error[] }
  const at = (level: string) => (text: string) => void started.said.push(`${level} ${text}`)
  const stop = new AbortController()
  const scoring = scoreInThreads({
    threads: 2,
    config: readConfig({}),
    models: MODELS,
    logger: { info: at('info'), warn: at('warn'), error: at('error') },
    onCounts: counts => started.counts.push(counts),
    stop: stop.signal,
    entry: running(code),
    onDeath: error => started.deaths.push(error),
    ...options,
  })
  onTestFinished(async () => {
    await scoring.then(
      ({ stop }) => stop().catch(() => {}),
      () => {},
    )
  })
  return { ...started, stop, scoring }
}

describe('threads that score', () => {
  test('get settings and models, and all they log comes out under their name', async () => {
    const { scoring, said } = start(`
      tell({ type: 'log', level: 'warn', text: workerData.config.namespace + ' ' + workerData.models[0].text })
      status()`)
    await scoring
    expect(said.sort()).toEqual(['warn thread 1: default id: m', 'warn thread 2: default id: m'])
  })

  test('are there once all have joined', async () => {
    const { scoring, said } = start(`
      import { threadId } from 'node:worker_threads'
      if (threadId % 2 === 0) status()
      else setTimeout(() => { tell({ type: 'log', level: 'info', text: 'late' }); status() }, 300)`)
    await scoring
    expect(said).toEqual([expect.stringContaining('late')])
  })

  test('are one scoring: partitions of all, the first problem, and active models only if all have them', async () => {
    const { scoring } = start(`
      import { threadId } from 'node:worker_threads'
      const odd = threadId % 2 === 1
      const assignments = [{ topic: 'signals', partition: odd ? 1 : 0 }]
      status({ assignments, modelsActive: !odd, ...(odd ? { problem: 'partition 1 is not taken' } : {}) })
      setTimeout(() => status({ assignments }), 400)`)
    const all = await scoring
    const partitions = all.assignments().map(({ partition }) => partition)
    expect(partitions.sort()).toEqual([0, 1])
    expect([all.problem(), all.modelsActive()]).toEqual(['partition 1 is not taken', false])
    await until(() => all.modelsActive())
    expect(all.problem()).toBeUndefined()
  })

  test('one that has told nothing for long is a problem', async () => {
    const { scoring } = start('status()', { threads: 1 })
    const all = await scoring
    const laterMs = performance.now() + 12_400
    vi.spyOn(performance, 'now').mockReturnValue(laterMs)
    onTestFinished(() => void vi.restoreAllMocks())
    expect(all.problem()).toMatch(/^thread 1 has not answered for 1[12] s$/)
  })

  test('with no partitions are no problem', async () => {
    const { scoring } = start('status()')
    const all = await scoring
    expect([all.problem(), all.modelsActive(), all.assignments()]).toEqual([undefined, true, []])
  })

  test('are counted all together', async () => {
    const { scoring, counts } = start(`
      status()
      tell({ type: 'counts', counts: { signals: { applied: 2 }, refolded: 1, events: [] } })`)
    await scoring
    await until(() => counts.length === 2)
    expect(counts).toEqual(Array(2).fill({ signals: { applied: 2 }, refolded: 1, events: [] }))
  })

  test('one that can never start stops all, and its error is as it was thrown', async () => {
    const { scoring, said, deaths } = start(`
      import { threadId } from 'node:worker_threads'
      onStop = () => { tell({ type: 'log', level: 'info', text: 'finished' }); tell({ type: 'stopped' }) }
      const error = { type: 'upswell', code: 'TOPIC_MISSING', message: 'no topic', canRetry: false }
      if (threadId % 2 === 0) tell({ type: 'failed', error })
      else status()`)
    const error = await scoring.catch((error: unknown) => error)
    expect(isUpswellError(error, 'TOPIC_MISSING')).toBe(true)
    expect(error).toMatchObject({ message: 'no topic', canRetry: false })
    expect(said.sort()).toEqual(['info thread 1: finished', 'info thread 2: finished'])
    expect(deaths).toEqual([])
  })

  test('finish when they are stopped: what they tell last is still heard', async () => {
    const { scoring, counts, deaths } = start(`
      status()
      onStop = () => setTimeout(() => {
        tell({ type: 'counts', counts: { signals: {}, refolded: 5, events: [] } })
        tell({ type: 'stopped' })
      }, 200)`)
    const all = await scoring
    await Promise.all([all.stop(), all.stop()])
    expect(counts.map(({ refolded }) => refolded)).toEqual([5, 5])
    expect(all.assignments()).toEqual([])
    expect(deaths).toEqual([])
  })

  test('finish though one of them throws meanwhile, which is told when all have ended', async () => {
    const { scoring, counts, deaths, said } = start(`
      import { threadId } from 'node:worker_threads'
      status({ assignments: [{ topic: String(threadId), partition: 0 }] })
      let isFirst = false
      onStop = () => setTimeout(() => {
        if (isFirst) throw new Error('deliberate')
        setTimeout(() => {
          tell({ type: 'counts', counts: { signals: {}, refolded: 5, events: [] } })
          tell({ type: 'stopped' })
        }, 300)
      })
      isFirst = threadId % 2 === 1`)
    const all = await scoring
    await expect(all.stop()).rejects.toThrow(/^thread [12] of the score role ended by itself: deliberate$/)
    expect(counts.map(({ refolded }) => refolded)).toEqual([5])
    expect(said).toHaveLength(1)
    expect(deaths).toEqual([])
  })

  test('that wait for the log are stopped too', async () => {
    const { scoring, stop, deaths } = start('')
    await sleep(100)
    stop.abort()
    const error = await scoring.catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'LOG_UNAVAILABLE', canRetry: true })
    expect(deaths).toEqual([])
  })

  test.each([
    ['throws', "setTimeout(() => { throw new Error('deliberate') }, 50)", 'deliberate'],
    ['rejects', "void Promise.reject(new Error('deliberate'))", 'deliberate'],
    ['exits', 'setTimeout(() => process.exit(0), 50)', 'exit code 0'],
    ['ends', 'setTimeout(() => parentPort.close(), 50)', 'exit code 0'],
  ])('one that %s is a death, with its reason', async (_, code, reason) => {
    const { scoring, deaths, said } = start(`status(); ${code}`, { threads: 1 })
    await scoring
    await until(() => deaths.length > 0)
    const text = `thread 1 of the score role ended by itself: ${reason}`
    expect(deaths.map(({ message }) => message)).toEqual([text])
    expect(said).toEqual([`error ${text}`])
    if (reason === 'deliberate') expect((deaths[0]!.cause as Error).stack).toContain('deliberate')
  })
})
