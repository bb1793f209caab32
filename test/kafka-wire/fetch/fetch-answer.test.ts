import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { decodeFetchAnswer } from '../../../src/kafka-wire/fetch/fetch-answer.ts'
import { encodeFetchAnswer } from './fetch-answers.ts'
import { encodeBatch, plainRecord } from './record-batches.ts'

const require = createRequire(import.meta.url)
const BATCH = encodeBatch({ baseOffset: 40, records: [plainRecord(0, 'text')] })
const ANSWER = {
  throttleMs: 20,
  errorCode: 0,
  partitions: [
    {
      ...{ topic: 'signals', partition: 7, errorCode: 0, lastStableOffset: 2 ** 40 + 3, bytes: BATCH },
      aborted: [
        { producerId: 2 ** 33, firstOffset: 41 },
        { producerId: 9, firstOffset: 2 ** 35 },
      ],
    },
    {
      topic: 'signals',
      partition: 8,
      errorCode: 6,
      lastStableOffset: -1,
      bytes: Buffer.alloc(0),
      aborted: [],
    },
  ],
}

it.each([4, 5, 6, 7, 8, 9, 10, 11])('decodes version %d like kafkajs', async version => {
  const data = encodeFetchAnswer(ANSWER, version)
  expect(decodeFetchAnswer(data, version)).toEqual(ANSWER)
  const kafkajs = require(`kafkajs/src/protocol/requests/fetch/v${version}/response.js`) as {
    decode(data: Buffer): Promise<{ responses: { topicName: string; partitions: object[] }[] }>
  }
  const { responses } = await kafkajs.decode(data)
  expect(responses.map(({ topicName }) => topicName)).toEqual(['signals', 'signals'])
  expect(responses[0]?.partitions).toMatchObject([
    {
      ...{ partition: 7, errorCode: 0, lastStableOffset: `${2 ** 40 + 3}` },
      abortedTransactions: [
        { producerId: `${2 ** 33}`, firstOffset: '41' },
        { producerId: '9', firstOffset: `${2 ** 35}` },
      ],
      messages: [{ offset: '40', value: Buffer.from('text') }],
    },
  ])
  expect(responses[1]?.partitions).toMatchObject([{ partition: 8, errorCode: 6 }])
})

it('treats null lists and records as empty', () => {
  const data = encodeFetchAnswer({ ...ANSWER, partitions: [] }, 11)
  data.writeInt32BE(-1, data.length - 4)
  expect(decodeFetchAnswer(data, 11).partitions).toEqual([])
})

it('refuses an answer that is cut off, and unknown versions', () => {
  const data = encodeFetchAnswer(ANSWER, 11)
  for (let length = 0; length < data.length; length++)
    expect(() => decodeFetchAnswer(data.subarray(0, length), 11)).toThrow(RangeError)
  expect(() => decodeFetchAnswer(data, 12)).toThrow(/version 12; 4 to 11/)
})
