import { expect, test, vi } from 'vitest'
import { ManyIds } from '../../../src/scoring/activity/many-ids.ts'
import './check-accounts.property.test.ts'

// The same properties of parity. But accounts have id chunks after three signals.
vi.mock('../../../src/scoring/activity/id-limits.ts', () => import('../../support/small-id-limits.ts'))

const moved = vi.spyOn(ManyIds.prototype, 'takeAll')
const left = vi.spyOn(ManyIds.prototype, 'leaveToStore')

test('accounts had many ids, and the store held their chunks', () => {
  expect(moved.mock.calls.length).toBeGreaterThan(100)
  expect(left.mock.calls.length).toBeGreaterThan(100)
})
