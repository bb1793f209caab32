import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Deferred, deferred } from '../../src/lib/deferred.ts'
import { GROWTH, signal, World } from './world.ts'

/** What the log is asked, answered by the test. */
let questions: Deferred<number>[]
let world: World
let own: number

beforeEach(async () => {
  questions = []
  const endOfLog = () => {
    const question = deferred<number>()
    questions.push(question)
    return question.promise
  }
  world = await World.create([GROWTH], { endOfLog })
  world.foldsAtOnce = false
  own = world.partitionOf('acme')
})

afterEach(async () => {
  await world.api.close()
})

async function get(offset: number) {
  const response = await world.api.inject(`/v1/accounts/acme?after=${own}:${offset}`)
  return [response.statusCode, response.json().code]
}

async function untilAsked(times: number): Promise<void> {
  await vi.waitFor(() => expect(questions).toHaveLength(times), 5000)
}

/** Waits until a request that waits has looked into the store this often from now on. */
async function untilPolled(times: number): Promise<void> {
  const polls = vi.spyOn(world.store, 'readStoredOffset')
  await vi.waitFor(() => expect(polls.mock.calls.length).toBeGreaterThanOrEqual(times), 5000)
  polls.mockRestore()
}

it('does not refuse a record that was written after the log was asked', async () => {
  const beyond = get(77)
  await untilAsked(1)
  // The log ends at 1 when it is asked. Then the record 1 is written, and its writer waits for it.
  await world.append([signal('acme')])
  const written = get(1)
  // Its request waits long enough to ask, too.
  await new Promise(resolve => setTimeout(resolve, 700))
  questions[0]!.resolve(1)
  expect(await beyond).toEqual([400, 'UNKNOWN_SEQUENCE'])
  await untilAsked(2)
  questions[1]!.resolve(2)
  await world.foldLog()
  expect(await written).toEqual([200, undefined])
})

it('asks once for all requests that wait, and not at all for a record that is stored soon', async () => {
  await world.append([signal('acme')])
  const soon = get(1)
  await untilPolled(2)
  await world.foldLog()
  expect(await soon).toEqual([200, undefined])
  expect(questions).toEqual([])
  const beyond = Array.from({ length: 50 }, () => get(77))
  await untilAsked(1)
  questions[0]!.resolve(2)
  // Those that came while the log was asked share a second question.
  await vi.waitFor(async () => {
    questions[1]?.resolve(2)
    const late = Symbol('late')
    const first = await Promise.race([
      Promise.all(beyond),
      new Promise(resolve => setTimeout(resolve, 1, late)),
    ])
    expect(first).not.toBe(late)
  }, 5000)
  expect(await Promise.all(beyond)).toEqual(new Array(50).fill([400, 'UNKNOWN_SEQUENCE']))
  expect(questions.length).toBeLessThanOrEqual(2)
})

it('goes on waiting while the log does not answer, and ends with the stop', async () => {
  await world.append([signal('acme')])
  const stored = get(1)
  await untilAsked(1)
  questions[0]!.reject(new Error('Kafka is away'))
  await untilPolled(5)
  expect(questions).toHaveLength(1)
  await world.foldLog()
  expect(await stored).toEqual([200, undefined])
  const stopped = get(77)
  world.requests.beginStop()
  expect(await stopped).toEqual([503, 'STOPPING'])
})
