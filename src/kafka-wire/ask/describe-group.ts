import { operationsOf } from './metadata.ts'
import type { AnswerReader, RawRequest } from './node-connection.ts'

export interface DescribedGroup {
  /** 0: no error. */
  readonly errorCode: number
  /** Such as `Stable`, `Empty`, `PreparingRebalance`; `Dead` for a group that does not exist. */
  readonly state: string
  readonly members: number
  /** What the asking user may do with the group; undefined: the node did not say. */
  readonly operations: readonly string[] | undefined
}

/** Version 3 is the first that says what the user may do; kafkajs knows versions up to 2. */
export function describeGroupRequest(group: string): RawRequest<DescribedGroup> {
  return {
    apiKey: 15,
    apiVersion: 3,
    apiName: 'DescribeGroups',
    // groups · include_authorized_operations
    write: writer => writer.writeArray([group], 'string').writeBoolean(true),
    // throttle_time_ms · [group]
    read(reader) {
      reader.readInt32()
      return reader.readArray(readGroup)[0]!
    },
  }
}

// error_code · group · state · protocol_type · protocol · [member] · operations
function readGroup(reader: AnswerReader): DescribedGroup {
  const errorCode = reader.readInt16()
  reader.readString()
  const state = reader.readString() ?? ''
  reader.readString()
  reader.readString()
  const members = reader.readArray(skipMember).length
  return { errorCode, state, members, operations: operationsOf(reader.readInt32()) }
}

function skipMember(reader: AnswerReader): void {
  for (let i = 0; i < 3; i++) reader.readString()
  for (let i = 0; i < 2; i++) reader.readBytes()
}
