import type { FetchAnswer, FetchedPartition } from '../../../src/kafka-wire/fetch/fetch-answer.ts'

/** An answer written by the protocol's description. Each partition has its own topic entry. */
export function encodeFetchAnswer(
  { errorCode, partitions, throttleMs }: FetchAnswer,
  version: number,
): Buffer {
  const sessionId = 0
  return Buffer.concat([
    int32(throttleMs),
    ...(version >= 7 ? [int16(errorCode), int32(sessionId)] : []),
    int32(partitions.length),
    ...partitions.map(partition => encodePartition(partition, version)),
  ])
}

function encodePartition(answer: FetchedPartition, version: number): Buffer {
  const { aborted, bytes, errorCode, lastStableOffset, partition, topic } = answer
  const [highWatermark, logStartOffset, preferredReadReplica] = [lastStableOffset + 5, 1, -1]
  return Buffer.concat([
    int16(Buffer.byteLength(topic)),
    Buffer.from(topic),
    int32(1),
    int32(partition),
    int16(errorCode),
    int64(highWatermark),
    int64(lastStableOffset),
    ...(version >= 5 ? [int64(logStartOffset)] : []),
    int32(aborted.length),
    ...aborted.flatMap(({ firstOffset, producerId }) => [int64(producerId), int64(firstOffset)]),
    ...(version >= 11 ? [int32(preferredReadReplica)] : []),
    int32(bytes.length),
    bytes,
  ])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
