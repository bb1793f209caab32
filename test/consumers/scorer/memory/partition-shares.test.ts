import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PartitionShares } from '../../../../src/consumers/scorer/partition-shares.ts'

test('partitions have equal shares, which change when partitions come or go', () => {
  const shares = new PartitionShares(120, 10)
  const first = shares.join()
  expect(first.bytes).toBe(120)
  const others = Array.from({ length: 3 }, () => shares.join())
  expect([first.bytes, others[2]!.bytes]).toEqual([30, 30])
  others[0]!.leave()
  others[0]!.leave()
  expect(first.bytes).toBe(40)
})

test('no share is below the least; then the partitions are crowded', () => {
  const shares = new PartitionShares(39, 10)
  const joined = Array.from({ length: 3 }, () => shares.join())
  expect(joined[0]!.isCrowded).toBe(false)
  joined.push(shares.join())
  expect([joined[0]!.bytes, joined[0]!.isCrowded]).toEqual([10, true])
})

test('as many partitions as there are least shares work at a time, in turn', async () => {
  const shares = new PartitionShares(25, 10)
  let working = 0
  let most = 0
  const done: number[] = []
  await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      shares.join().during(async () => {
        most = Math.max(most, ++working)
        await setImmediate()
        working--
        done.push(i)
      }),
    ),
  )
  expect(most).toBe(2)
  expect(done).toEqual([0, 1, 2, 3, 4, 5])
})

test('a failure gives the place back', async () => {
  const shares = new PartitionShares(10, 10)
  const share = shares.join()
  await expect(share.during(() => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await share.during(async () => 'done')).toBe('done')
})

test('a partition that waits for another gives it its place', async () => {
  const shares = new PartitionShares(10, 10)
  const [waiting, other] = [shares.join(), shares.join()]
  const order: string[] = []
  let go = (): void => {}
  const until = new Promise<void>(resolve => {
    go = resolve
  })
  await Promise.all([
    waiting.during(async () => {
      await waiting.outside(() => until)
      order.push('waiting')
    }),
    other.during(async () => {
      order.push('other')
      go()
    }),
  ])
  expect(order).toEqual(['other', 'waiting'])
})
