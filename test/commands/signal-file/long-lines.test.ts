import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readSignalFile } from '../../../src/commands/signal-file/signal-file.ts'

const SIGNAL = '{"id":"1","accountId":"acme","kind":"usage","name":"x","occurredAt":"2026-11-22T09:00:00Z"}'

test('a line of 5 GB is rejected, and the next one is read', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  function* chunks() {
    for (let i = 0; i < 5_000; i++) yield chunk
    yield Buffer.from(`\n${SIGNAL}\n`)
  }
  const now = () => Date.parse('2026-11-22T09:00:00Z')
  const found: string[] = []
  for await (const line of readSignalFile(Readable.from(chunks()), 'a.jsonl', now))
    found.push(line.type === 'rejected' ? line.where : line.signal.id)
  expect(found).toEqual(['a.jsonl:1', '1'])
})
