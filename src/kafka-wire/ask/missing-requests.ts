import { internal } from '../hooks/internals.ts'
import type { RequestDefinitions } from '../hooks/kafkajs-cluster.ts'
import type { ApiVersions } from './node-connection.ts'

/** The requests that this client sends: Kafka's number, and the folder of kafkajs's `protocol/requests`. */
const SENT: Readonly<Record<string, readonly [apiKey: number, module: string]>> = {
  Produce: [0, 'produce'],
  Fetch: [1, 'fetch'],
  ListOffsets: [2, 'listOffsets'],
  Metadata: [3, 'metadata'],
  OffsetFetch: [9, 'offsetFetch'],
  FindCoordinator: [10, 'findCoordinator'],
  JoinGroup: [11, 'joinGroup'],
  Heartbeat: [12, 'heartbeat'],
  LeaveGroup: [13, 'leaveGroup'],
  SyncGroup: [14, 'syncGroup'],
  DescribeGroups: [15, 'describeGroups'],
  CreateTopics: [19, 'createTopics'],
  DeleteTopics: [20, 'deleteTopics'],
  InitProducerId: [22, 'initProducerId'],
  AddPartitionsToTxn: [24, 'addPartitionsToTxn'],
  AddOffsetsToTxn: [25, 'addOffsetsToTxn'],
  EndTxn: [26, 'endTxn'],
  TxnOffsetCommit: [28, 'txnOffsetCommit'],
  DeleteGroups: [42, 'deleteGroups'],
}

/** Names the requests that kafkajs can send in no version that the node answers. */
export function missingRequests(offered: ApiVersions): string[] {
  return Object.entries(SENT).flatMap(([name, [apiKey, module]]) => {
    const range = offered[apiKey]
    const { versions } = internal<RequestDefinitions<object>>(`protocol/requests/${module}/index.js`)
    const isSpoken = (version: number) =>
      range !== undefined && version >= range.minVersion && version <= range.maxVersion
    return versions.map(Number).some(isSpoken) ? [] : [name]
  })
}

/** The newest versions of Produce and Fetch that each release of Kafka answers; the latest release first. */
const RELEASES: readonly (readonly [release: string, produce: number, fetch: number])[] = [
  ['4.1', 13, 18],
  ['4.0', 12, 17],
  ['3.9', 11, 17],
  ['3.8', 11, 16],
  ['3.7', 10, 16],
  ['3.5', 9, 15],
  ['3.1', 9, 13],
  ['2.8', 9, 12],
  ['2.7', 8, 12],
  ['2.4', 8, 11],
]

/**
 * The release of Kafka that a node's protocol shows: at least this one. Undefined: it is older than 2.4.
 */
export function releaseOf(offered: ApiVersions): string | undefined {
  const newest = (apiKey: number) => offered[apiKey]?.maxVersion ?? -1
  return RELEASES.find(([, produce, fetch]) => newest(0) >= produce && newest(1) >= fetch)?.[0]
}
