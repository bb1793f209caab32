import { expect, test } from 'vitest'
import { instanceIdOf, threadInstanceId } from '../../src/app/instance-id.ts'

const SETTINGS = { instanceId: '', host: '0.0.0.0', port: 8080 }

test('is the place where the process listens', () => {
  expect(instanceIdOf(SETTINGS, 'score-1')).toBe('score-1-0.0.0.0-8080')
})

test('differs for two processes of a host, which listen at other ports or addresses', () => {
  const ids = [SETTINGS, { ...SETTINGS, port: 8081 }, { ...SETTINGS, host: '127.0.0.1' }].map(settings =>
    instanceIdOf(settings, 'host'),
  )
  expect(new Set(ids).size).toBe(3)
})

test('has only characters that Kafka accepts', () => {
  expect(instanceIdOf({ ...SETTINGS, host: '::1' }, 'höst.example')).toBe('h_st.example-__1-8080')
})

test('is the setting, if there is one', () => {
  expect(instanceIdOf({ ...SETTINGS, instanceId: 'blue-3', port: 0 }, 'host')).toBe('blue-3')
})

test.each([
  ['the port is any free one', { ...SETTINGS, port: 0 }, 'host'],
  ['other machines have the same name', SETTINGS, 'localhost'],
  ['the machine has no name', SETTINGS, ''],
])('is undefined where a restart could not have it again, or others would: %s', (_, settings, hostName) => {
  expect(instanceIdOf(settings, hostName)).toBeUndefined()
})

test('is another for each score thread', () => {
  expect([1, 2].map(thread => threadInstanceId('a', thread))).toEqual(['a.thread-1', 'a.thread-2'])
  expect(threadInstanceId(undefined, 1)).toBeUndefined()
})
