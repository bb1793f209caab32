import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readConfig } from '../../../src/app/config.ts'
import { type ScoreThreadsOptions, scoreInThreads } from '../../../src/app/score-threads/score-in-threads.ts'
import type { ScoredCounts } from '../../../src/app/scored-counts.ts'
import { isUpswellError } from '../../../src/lib/errors.ts'
import type { LogFields } from '../../../src/lib/logger.ts'
import { until } from '../../support/log-handlers.ts'

const MODELS = [{ file: 'm.yaml', text: 'id: m' }]

/** An entry that runs `code` instead of the product's; `code` can use `post`, `status` and `onStop`. */
function running(code: string): URL {
  const module = `
    import { parentPort, workerData } from 'node:worker_threads'
    const post = message => parentPort.postMessage(message)
    const status = (parts = {}) =>
      post({ type: 'status', status: { problem: undefined, waitingMs: 0, assignments: [], modelsActive: true, ...parts } })
    let onStop = () => post({ type: 'stopped' })
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
  const at = (level: string) => (text: string, fields?: LogFields) =>
    void started.said.push(`${level} ${fields?.['thread']}: ${text}`)
  const stop = new AbortController()
  const scoring = scoreInThreads({
    threads: 2,
    config: readConfig({}),
    models: MODELS,
    logger: { info: at('info'), warn: at('warn'), error: at('error') },
    onCounts: counts => started.counts.push(counts),
    onMetrics: () => {},
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

describe('score threads', () => {
  test('get the settings and models, and log under their names', async () => {
    const { scoring, said } = start(`
      post({ type: 'log', level: 'warn', text: workerData.config.namespace + ' ' + workerData.models[0].text })
      status()`)
    await scoring
    expect(said.sort()).toEqual(['warn thread 1: default id: m', 'warn thread 2: default id: m'])
  })

  test('resolve when all have joined', async () => {
    const { scoring, said } = start(`
      import { threadId } from 'node:worker_threads'
      if (threadId % 2 === 0) status()
      else setTimeout(() => { post({ type: 'log', level: 'info', text: 'late' }); status() }, 300)`)
    await scoring
    expect(said).toEqual([expect.stringContaining('late')])
  })

  test('act as one: the partitions of all, the first problem, and active models only if all have them', async () => {
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

  test('report a thread that has been silent for long as a problem', async () => {
    const { scoring } = start('status()', { threads: 1 })
    const all = await scoring
    const laterMs = performance.now() + 12_400
    vi.spyOn(performance, 'now').mockReturnValue(laterMs)
    onTestFinished(() => void vi.restoreAllMocks())
    expect(all.problem()).toMatch(/^thread 1 has not answered for 1[12] s$/)
  })

  test('have no problem if they have no partitions', async () => {
    const { scoring } = start('status()')
    const all = await scoring
    expect([all.problem(), all.modelsActive(), all.assignments()]).toEqual([undefined, true, []])
  })

  test('add up the counts of all', async () => {
    const { scoring, counts } = start(`
      status()
      post({ type: 'counts', counts: { signals: { applied: 2 }, refolded: 1, events: [] } })`)
    await scoring
    await until(() => counts.length === 2)
    expect(counts).toEqual(Array(2).fill({ signals: { applied: 2 }, refolded: 1, events: [] }))
  })

  test('all stop if one can never start, and reject with its error', async () => {
    const { scoring, said, deaths } = start(`
      import { threadId } from 'node:worker_threads'
      onStop = () => { post({ type: 'log', level: 'info', text: 'finished' }); post({ type: 'stopped' }) }
      const error = { type: 'upswell', code: 'TOPIC_MISSING', message: 'no topic', canRetry: false }
      if (threadId % 2 === 0) post({ type: 'failed', error })
      else status()`)
    const error = await scoring.catch((error: unknown) => error)
    expect(isUpswellError(error, 'TOPIC_MISSING')).toBe(true)
    expect(error).toMatchObject({ message: 'no topic', canRetry: false })
    expect(said.sort()).toEqual(['info thread 1: finished', 'info thread 2: finished'])
    expect(deaths).toEqual([])
  })

  test('finish when they are stopped, and their last messages still arrive', async () => {
    const { scoring, counts, deaths } = start(`
      status()
      onStop = () => setTimeout(() => {
        post({ type: 'counts', counts: { signals: {}, refolded: 5, events: [] } })
        post({ type: 'stopped' })
      }, 200)`)
    const all = await scoring
    await Promise.all([all.stop(), all.stop()])
    expect(counts.map(({ refolded }) => refolded)).toEqual([5, 5])
    expect(all.assignments()).toEqual([])
    expect(deaths).toEqual([])
  })

  test('finish even if one throws meanwhile, and reject with its error after all have ended', async () => {
    const { scoring, counts, deaths, said } = start(`
      import { threadId } from 'node:worker_threads'
      status({ assignments: [{ topic: String(threadId), partition: 0 }] })
      let isFirst = false
      onStop = () => setTimeout(() => {
        if (isFirst) throw new Error('deliberate')
        setTimeout(() => {
          post({ type: 'counts', counts: { signals: {}, refolded: 5, events: [] } })
          post({ type: 'stopped' })
        }, 300)
      })
      isFirst = threadId % 2 === 1`)
    const all = await scoring
    await expect(all.stop()).rejects.toThrow(/^thread [12] of the score role ended by itself: deliberate$/)
    expect(counts.map(({ refolded }) => refolded)).toEqual([5])
    expect(said).toHaveLength(1)
    expect(deaths).toEqual([])
  })

  test('stop also while they wait for the log', async () => {
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
  ])('report a thread that %s as dead, with the reason', async (_, code, reason) => {
    const { scoring, deaths, said } = start(`status(); ${code}`, { threads: 1 })
    await scoring
    await until(() => deaths.length > 0)
    const text = `thread 1 of the score role ended by itself: ${reason}`
    expect(deaths.map(({ message }) => message)).toEqual([text])
    expect(said).toEqual([`error thread 1: ${text}`])
    if (reason === 'deliberate') expect((deaths[0]!.cause as Error).stack).toContain('deliberate')
  })
})
