import { expect, test } from 'vitest'
import { describeFence, findHolder } from '../../../src/log/kafka/instance-holder.ts'

const UUID = '0a1b2c3d-0000-4000-8000-00000000000f'

test('finds the member of the group whose id is the instance id and a UUID', async () => {
  const members = [
    { memberId: `score-10-${UUID}`, clientHost: '/10.0.0.10' },
    { memberId: `score-1-2-${UUID}`, clientHost: '/10.0.0.12' },
    { memberId: `score-1-${UUID}`, clientHost: '/10.0.0.1' },
  ]
  const admin = { groupMembers: async () => members }
  expect(await findHolder(admin, 'g', 'score-1')).toBe(members[2])
  expect(await findHolder(admin, 'g', 'score')).toBeUndefined()
})

test('says where the other process is and what to do', () => {
  const holder = { memberId: `score-1-${UUID}`, clientHost: '/10.0.0.1' }
  expect(describeFence('g', 'score-1', holder)).toBe(
    "another process joined the group g from 10.0.0.1 with this one's instance id, score-1; this process reads " +
      'nothing until the other has left: stop one of them, or give each its own UPSWELL_INSTANCE_ID',
  )
})
