import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PatientCheck } from '../../src/app/patient-check.ts'
import { type Deferred, deferred } from '../../src/lib/deferred.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

it('gives the problems of the answer, and an error as a problem', async () => {
  let fails = false
  const check = new PatientCheck(async () => {
    if (fails) throw new Error('no route to host')
    return ['too slow']
  })
  expect(await check.problems(1_000)).toEqual(['too slow'])
  fails = true
  expect(await check.problems(1_000)).toEqual(['no route to host'])
})

it('says how long there was no answer, asks once until it comes, and again after it', async () => {
  const answers: Deferred[] = []
  const check = new PatientCheck(async () => {
    const answer = deferred()
    answers.push(answer)
    await answer.promise
    return []
  })
  const first = check.problems(1_000)
  vi.advanceTimersByTime(1_000)
  expect(await first).toEqual(['it has not answered for 1 s'])
  vi.advanceTimersByTime(6_000)
  // These do not wait.
  expect(await check.problems(1_000)).toEqual(['it has not answered for 7 s'])
  expect(await check.problems(0)).toEqual(['it has not answered for 7 s'])
  expect(answers).toHaveLength(1)
  answers[0]!.resolve()
  await setImmediate()
  const second = check.problems(1_000)
  expect(answers).toHaveLength(2)
  answers[1]!.resolve()
  expect(await second).toEqual([])
})

it('gives the answer before to somebody who cannot wait', async () => {
  let answer: Promise<readonly string[]> = Promise.resolve(['away'])
  const check = new PatientCheck(() => answer)
  await check.problems(1_000)
  answer = new Promise(() => {})
  expect(await check.problems(1)).toEqual(['away'])
})
