import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteQuota, type Lease } from '../../src/lib/byte-quota.ts'

test('who asks for more than is left waits, and so does everyone after', async () => {
  const quota = new ByteQuota(10)
  const first = await quota.lease(6)
  const order: string[] = []
  const large = quota.lease(8).then(lease => {
    order.push('large')
    return lease
  })
  const small = quota.lease(1).then(lease => {
    order.push('small')
    return lease
  })
  await Promise.resolve()
  expect([quota.leased, quota.waiting]).toEqual([6, 2])
  first.resize(2)
  await Promise.all([large, small].slice(0, 1))
  expect(order).toEqual(['large'])
  expect(quota.leased).toBe(10)
  first.release()
  await small
  expect([quota.leased, quota.waiting]).toEqual([9, 0])
})

test('a holder may ask for more than there is when it is alone', async () => {
  const quota = new ByteQuota(10)
  const alone = await quota.lease(100)
  const next = quota.lease(1)
  expect(quota.waiting).toBe(1)
  alone.release()
  await next
  expect(quota.leased).toBe(1)
})

test('released twice, a lease gives its bytes back once', async () => {
  const quota = new ByteQuota(10)
  const [first] = await Promise.all([quota.lease(4), quota.lease(5)])
  first.release()
  first.release()
  expect(quota.leased).toBe(5)
})

test('who waits too long gets nothing, and makes room for the next', async () => {
  const quota = new ByteQuota(10)
  const first = await quota.lease(6)
  const large = quota.leaseWithin(20, 8)
  const small = quota.lease(4)
  expect(quota.waiting).toBe(2)
  expect(await large).toBeUndefined()
  await small
  expect([quota.leased, quota.waiting]).toEqual([10, 0])
  const inTime = quota.leaseWithin(10_000, 6)
  first.release()
  expect(await inTime).toBeDefined()
})

test('whatever is asked for in whatever order, everyone gets it in the end, and the sum is kept', async () => {
  const asked = fc.array(
    fc.record({ bytes: fc.integer({ min: 0, max: 20 }), now: fc.integer({ min: 0, max: 20 }) }),
    {
      maxLength: 30,
    },
  )
  await fc.assert(
    fc.asyncProperty(asked, async wanted => {
      const quota = new ByteQuota(16)
      const held = new Map<Lease, number>()
      let most = 0
      await Promise.all(
        wanted.map(async ({ bytes, now }) => {
          const lease = await quota.lease(bytes)
          held.set(lease, bytes)
          most = Math.max(most, withBytes(held.values()) > 1 ? sum(held.values()) : 0)
          await Promise.resolve()
          lease.resize(Math.min(now, bytes))
          held.set(lease, Math.min(now, bytes))
          await Promise.resolve()
          held.delete(lease)
          lease.release()
        }),
      )
      expect(most).toBeLessThanOrEqual(16)
      expect([quota.leased, quota.waiting]).toEqual([0, 0])
    }),
  )
})

function withBytes(numbers: Iterable<number>): number {
  return [...numbers].filter(bytes => bytes > 0).length
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}
