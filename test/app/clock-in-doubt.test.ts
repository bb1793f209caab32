import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/app/config.ts'
import { startService } from '../../src/app/service.ts'
import { startClock } from '../../src/app/start-clock.ts'

const JUMP_MS = 500 * 86_400_000
const QUIET = { info: () => {}, warn: () => {}, error: () => {} }

test('a service whose clock jumps says so in /readyz and its metrics, and gives new signals the time from before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'upswell-clock-'))
  let jumpMs = 0
  const service = await startService({
    config: readConfig({ UPSWELL_DATA_DIR: folder, UPSWELL_PORT: '0', UPSWELL_PARTITIONS: '1' }),
    roles: new Set(['ingest', 'score', 'api'] as const),
    logger: QUIET,
    wallClock: () => Date.now() + jumpMs,
  })
  const readyz = async () => {
    const answer = await fetch(`${service.url}/readyz`)
    return { status: answer.status, text: await answer.text() }
  }
  const metrics = async () => (await fetch(`${service.url}/metrics`)).text()
  try {
    await service.ready()
    expect((await readyz()).status).toBe(200)
    jumpMs = JUMP_MS
    expect(await readyz()).toEqual({
      status: 503,
      text: expect.stringContaining("this machine's clock is 43200000 s ahead of the time seen before"),
    })
    expect(await metrics()).toMatch(/^upswell_clock_in_doubt 1$/m)
    expect(await metrics()).toContain('upswell_problems{part="clock"} 1')
    const sent = await fetch(`${service.url}/v1/signals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ id: 's-1', kind: 'usage', name: 'x', accountId: 'acme' },
        occurredAt: new Date().toISOString(),
      }),
    })
    expect(sent.status).toBe(202)
    let newest = 0
    for await (const { timestamp } of service.backend.log.readAll(service.backend.topics.signals))
      newest = Math.max(newest, timestamp)
    expect(newest).toBeLessThan(Date.now() + 60_000)
    jumpMs = 0
    expect((await readyz()).status).toBe(200)
  } finally {
    await service.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('a started clock asks the store again and again: a correction with which it agrees ends the doubt', async () => {
  let jumpMs = 0
  const wall = () => Date.now() + jumpMs
  const { clock, stop } = await startClock({ time: async () => wall() }, QUIET, wall)
  try {
    jumpMs = JUMP_MS
    expect(clock.isInDoubt()).toBe(true)
    while (clock.isInDoubt()) await sleep(10)
    expect(clock.now()).toBeGreaterThan(Date.now() + JUMP_MS - 60_000)
  } finally {
    stop()
  }
})
