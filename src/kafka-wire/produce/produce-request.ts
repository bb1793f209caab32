import { crc32c } from './crc32c.ts'
import { ProduceWriter } from './produce-writer.ts'

export interface ProduceRequest {
  readonly transactionalId?: string | null | undefined
  /** A number, or kafkajs's Long. */
  readonly producerId?: unknown
  readonly producerEpoch?: number
  readonly acks: number
  /** ms */
  readonly timeout: number
  readonly compression?: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly firstSequence?: number
      readonly messages: readonly ProducedMessage[]
    }[]
  }[]
}

export interface ProducedMessage {
  readonly key?: string | Buffer | null
  readonly value: string | Buffer | null
  /** Written as they are, before `headers`: names may repeat, and null is kept. */
  readonly carriedHeaders?: readonly (readonly [name: Buffer, value: Buffer | null])[]
  readonly headers?: Readonly<Record<string, string | Buffer>>
  /** ms; kafkajs wants it as digits. */
  readonly timestamp?: number | string
}

/** Shared by all requests: encoding is synchronous, and each result is a copy. */
const writer = new ProduceWriter()

/**
 * Encodes the body of a produce request, versions 3 to 7, with one record batch (magic 2) for each partition.
 * The bytes are the same as kafkajs makes.
 */
export function encodeProduce(request: ProduceRequest): Buffer {
  const out = writer
  out.restart()
  out.string(request.transactionalId ?? null)
  out.int16(request.acks)
  out.int32(request.timeout)
  out.int32(request.topicData.length)
  for (const { topic, partitions } of request.topicData) {
    out.string(topic)
    out.int32(partitions.length)
    for (const { partition, firstSequence = 0, messages } of partitions) {
      out.int32(partition)
      writeBatch(out, request, firstSequence, messages)
    }
  }
  return out.finish()
}

const MAGIC = 2
const IN_TRANSACTION = 16

/** Writes the size of the batch in bytes, then the batch. */
function writeBatch(
  out: ProduceWriter,
  { transactionalId, producerId = -1, producerEpoch = 0 }: ProduceRequest,
  firstSequence: number,
  messages: readonly ProducedMessage[],
): void {
  const now = Date.now()
  let first = messages.length === 0 ? now : timeOf(messages[0]!, now)
  let last = first
  for (let i = 1; i < messages.length; i++) {
    const time = timeOf(messages[i]!, now)
    if (time < first) first = time
    if (time > last) last = time
  }
  const sizeAt = out.skipInt32()
  // The broker sets the offset of the first record.
  out.int64(0)
  const lengthAt = out.skipInt32()
  const start = out.length
  // The leader's epoch.
  out.int32(0)
  out.int8(MAGIC)
  const sumAt = out.skipInt32()
  const summed = out.length
  out.int16(transactionalId ? IN_TRANSACTION : 0)
  out.int32(messages.length - 1)
  out.int64(first)
  out.int64(last)
  out.int64(Number(String(producerId)))
  out.int16(producerEpoch)
  out.int32(firstSequence)
  out.int32(messages.length)
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]!
    writeRecord(out, message, i, timeOf(message, now) - first)
  }
  out.putInt32(sumAt, crc32c(out.bytes, summed, out.length))
  out.putInt32(lengthAt, out.length - start)
  out.putInt32(sizeAt, out.length - sizeAt - 4)
}

function timeOf({ timestamp }: ProducedMessage, now: number): number {
  return timestamp === undefined ? now : Number(timestamp)
}

const NO_HEADERS = {}
const NO_CARRIED_HEADERS: NonNullable<ProducedMessage['carriedHeaders']> = []

function writeRecord(
  out: ProduceWriter,
  { key = null, value, headers = NO_HEADERS, carriedHeaders = NO_CARRIED_HEADERS }: ProducedMessage,
  offsetDelta: number,
  timestampDelta: number,
): void {
  const start = out.begin()
  // A record's attributes: none are in use.
  out.int8(0)
  out.varint(timestampDelta)
  out.varint(offsetDelta)
  out.varintBytes(key)
  out.varintBytes(value)
  const names = Object.keys(headers)
  out.varint(carriedHeaders.length + names.length)
  for (const [name, carried] of carriedHeaders) {
    out.varintBytes(name)
    out.varintBytes(carried)
  }
  for (const name of names) {
    out.varintBytes(name)
    out.varintBytes(headers[name]!)
  }
  out.end(start)
}
