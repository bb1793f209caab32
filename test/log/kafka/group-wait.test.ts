import { expect, test } from 'vitest'
import { GroupWait } from '../../../src/log/kafka/group-wait.ts'

function startWait() {
  let nowMs = 1_000
  const wait = new GroupWait('g', () => nowMs)
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { wait, pass }
}

test('waits from the beginning until the group has given out its partitions', () => {
  const { wait, pass } = startWait()
  pass(700)
  expect([wait.ms(), wait.problem()]).toEqual([700, 'the group g is not joined yet'])
  wait.end()
  expect([wait.ms(), wait.problem()]).toEqual([0, undefined])
})

test('waits while the group distributes its partitions again', () => {
  const { wait, pass } = startWait()
  wait.end()
  wait.begin()
  pass(20)
  expect([wait.ms(), wait.problem()]).toEqual([20, expect.stringContaining('distributes its partitions')])
})

test('keeps the known reason and the beginning of a wait when the next attempt begins', () => {
  const { wait, pass } = startWait()
  wait.end()
  wait.begin('Kafka is away')
  pass(5)
  wait.begin()
  pass(5)
  expect([wait.ms(), wait.problem()]).toEqual([10, 'Kafka is away'])
})

test('waits when heartbeats stay without an answer, counted from the last answer', () => {
  const { wait, pass } = startWait()
  wait.end()
  pass(4_000)
  wait.heard()
  pass(4_000)
  expect([wait.ms(), wait.problem()]).toEqual([0, undefined])
  pass(2_000)
  expect([wait.ms(), wait.problem()]).toEqual([6_000, 'the group g has not answered for 6 s'])
  wait.heard()
  expect([wait.ms(), wait.problem()]).toEqual([0, undefined])
})
