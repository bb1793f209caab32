import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/app/config.ts'
import { startService } from '../../src/app/service.ts'
import { until } from '../support/log-handlers.ts'

const QUIET = { info: () => {}, warn: () => {}, error: () => {} }

async function startEmbedded() {
  const folder = await mkdtemp(join(tmpdir(), 'upswell-metrics-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const service = await startService({
    config: readConfig({ UPSWELL_DATA_DIR: folder, UPSWELL_PORT: '0', UPSWELL_PARTITIONS: '2' }),
    roles: new Set(['ingest', 'score', 'api'] as const),
    logger: QUIET,
  })
  onTestFinished(() => service.stop())
  const metrics = async () => (await fetch(`${service.url}/metrics`)).text()
  /** The sum of the series that begin so; undefined: there is none. */
  const sum = async (series: string): Promise<number | undefined> => {
    const lines = (await metrics()).split('\n').filter(line => line.startsWith(series))
    return lines.length === 0
      ? undefined
      : lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }
  return { service, sum }
}

test('a service shows its lag, its commits and flushes, its cache, its store and its build', async () => {
  const { service, sum } = await startEmbedded()
  await service.ready()
  const { log, topics } = service.backend
  const signals = ['acme', 'acme', 'brick'].map((accountId, i) => ({
    ...{ id: `s-${i}`, kind: 'usage', name: 'x', accountId },
    occurredAt: new Date().toISOString(),
  }))
  const values = [...signals.map(signal => JSON.stringify(signal)), 'not json']
  await log.append(values.map(value => ({ topic: topics['product-usage'], key: 'acme', value })))

  await until(async () => (await sum('upswell_signals_total{outcome="applied"}')) === 3)
  await until(async () => (await sum('upswell_store_lag_records{')) === 0)
  expect(await sum('upswell_store_lag_seconds{')).toBe(0)
  await until(async () => (await sum('upswell_lag_records{group="upswell-score",topic="signals"')) === 0)
  expect(await sum('upswell_lag_seconds{group="upswell-score",topic="signals"')).toBe(0)
  await until(
    async () => (await sum('upswell_lag_records{group="upswell-ingest",topic="product-usage"')) === 0,
  )
  expect(await sum('upswell_dead_letters_total{topic="product-usage",reason="not-json"}')).toBe(1)
  expect(
    await sum('upswell_commit_duration_seconds_count{group="upswell-ingest",result="done"}'),
  ).toBeGreaterThan(0)
  expect(
    await sum('upswell_commit_duration_seconds_count{group="upswell-score",result="done"}'),
  ).toBeGreaterThan(0)
  expect(await sum('upswell_commit_duration_seconds_count{group="upswell-score",result="failed"}')).toBe(0)
  expect(await sum('upswell_flush_duration_seconds_count{result="done"}')).toBeGreaterThan(0)
  expect(await sum('upswell_account_lookups_total')).toBe(3)
  expect(await sum('upswell_account_loads_total{result="absent"}')).toBe(2)
  expect(await sum('upswell_cached_accounts{topic="signals"')).toBe(2)
  expect(await sum('upswell_processed_records_total{group="upswell-ingest"}')).toBe(4)
  expect(
    await sum('upswell_store_request_duration_seconds_count{operation="load",result="done"}'),
  ).toBeGreaterThan(0)
  expect(await sum(`upswell_build_info{version="`)).toBe(1)
  expect(await sum('process_start_time_seconds')).toBeGreaterThan(0)
})

test('/readyz says how far the process is behind, and is ready all the same', async () => {
  const { service } = await startEmbedded()
  await service.ready()
  await until(async () => {
    const answer = await fetch(`${service.url}/readyz`)
    const { lag } = (await answer.json()) as { lag?: object }
    return answer.status === 200 && JSON.stringify(lag) === '{"records":0,"seconds":0}'
  })
})
