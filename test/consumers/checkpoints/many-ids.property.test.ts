import { expect, test, vi } from 'vitest'
import { ManyIds } from '../../../src/scoring/activity/many-ids.ts'
import './checkpoints.property.test.ts'

// The same properties of checkpoints. But accounts have id chunks after three signals.
vi.mock('../../../src/scoring/activity/id-limits.ts', () => import('../../support/small-id-limits.ts'))

const moved = vi.spyOn(ManyIds.prototype, 'takeAll')
const ended = vi.spyOn(ManyIds.prototype, 'leaveToStore')

test('accounts had many ids, and the store held their chunks', () => {
  expect(moved.mock.calls.length).toBeGreaterThan(100)
  expect(ended.mock.calls.length).toBeGreaterThan(100)
})
