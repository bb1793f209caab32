import { operationsOf } from './metadata.ts'
import type { AnswerReader, ApiVersions, RawRequest } from './node-connection.ts'

export interface GroupMember {
  /** Undefined: the member has none, or the node is older than 2.4 and does not show it. */
  readonly instanceId: string | undefined
  /** The address from which it connected, without the slash that brokers write before it. */
  readonly host: string
}

export interface DescribedGroup {
  /** 0: no error. */
  readonly errorCode: number
  /** Such as `Stable`, `Empty`, `PreparingRebalance`; `Dead` for a group that does not exist. */
  readonly state: string
  readonly members: readonly GroupMember[]
  /** What the asking user may do with the group; undefined: the node did not say. */
  readonly operations: readonly string[] | undefined
}

/** Version 3 is the first that says what the user may do, version 4 the first that has instance ids. */
export type DescribeGroupVersion = 3 | 4

/** kafkajs knows versions up to 2. */
export function describeGroupRequest(
  group: string,
  apiVersion: DescribeGroupVersion,
): RawRequest<DescribedGroup> {
  return {
    apiKey: DESCRIBE_GROUPS,
    apiVersion,
    apiName: 'DescribeGroups',
    // groups · include_authorized_operations
    write: writer => writer.writeArray([group], 'string').writeBoolean(true),
    // throttle_time_ms · [group]
    read(reader) {
      reader.readInt32()
      return reader.readArray(own => readGroup(own, apiVersion))[0]!
    },
  }
}

/** The latest of the two versions that the node answers. */
export function describeGroupVersion(offered: ApiVersions): DescribeGroupVersion {
  return (offered[DESCRIBE_GROUPS]?.maxVersion ?? 0) >= 4 ? 4 : 3
}

const DESCRIBE_GROUPS = 15

// error_code · group · state · protocol_type · protocol · [member] · operations
function readGroup(reader: AnswerReader, apiVersion: DescribeGroupVersion): DescribedGroup {
  const errorCode = reader.readInt16()
  reader.readString()
  const state = reader.readString() ?? ''
  reader.readString()
  reader.readString()
  const members = reader.readArray(own => readMember(own, apiVersion))
  return { errorCode, state, members, operations: operationsOf(reader.readInt32()) }
}

// member_id · group_instance_id (from version 4) · client_id · client_host · metadata · assignment
function readMember(reader: AnswerReader, apiVersion: DescribeGroupVersion): GroupMember {
  reader.readString()
  const instanceId = apiVersion === 4 ? (reader.readString() ?? undefined) : undefined
  reader.readString()
  const host = (reader.readString() ?? '').replace(/^\//, '')
  for (let i = 0; i < 2; i++) reader.readBytes()
  return { instanceId, host }
}
