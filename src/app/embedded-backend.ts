import type { Backend, BackendMeters } from '../consumers/backend.ts'
import { type LmdbEnvironment, openLmdbEnvironment } from '../lib/lmdb/lmdb-environment.ts'
import type { Outages } from '../lib/logger.ts'
import { EmbeddedLog } from '../log/lmdb/lmdb-log.ts'
import type { TopicPartitions } from '../log/lmdb/lmdb-topics.ts'
import { LmdbStore } from '../store/lmdb/lmdb-store.ts'
import { meterStore, type StoreMeter } from '../store/meter-store.ts'

export interface EmbeddedBackendOptions {
  /** Created if it is missing. */
  readonly directory: string
  readonly partitions: TopicPartitions
  /** As of `EmbeddedLogOptions`. */
  readonly maxReadBytes?: number
  /** Gets the failures of handlers. Undefined: nobody looks at them. */
  readonly outages?: Outages
  readonly meters?: BackendMeters | undefined
}

/**
 * Log and store in one LMDB environment. A batch is one transaction: outputs, committed offset, states and
 * stored offset are written together or not at all. `commitFlush` resolves when they are on the disk.
 * @throws UpswellError STORE_UNAVAILABLE: the directory cannot be written; STATE_UNREADABLE: it holds other
 * data
 */
export async function openEmbeddedBackend(options: EmbeddedBackendOptions): Promise<Backend> {
  const environment = await openLmdbEnvironment(options.directory)
  const log = new EmbeddedLog(environment, {
    partitions: options.partitions,
    ...(options.maxReadBytes === undefined ? {} : { maxReadBytes: options.maxReadBytes }),
    meter: options.meters?.log,
    onProblem: ({ topic, partition, error }) =>
      options.outages?.failed(`${topic}/${partition}`, error, { topic, partition }),
    onWell: ({ topic, partition }) => options.outages?.works(`${topic}/${partition}`),
  })
  return backendOf({ environment, log, meter: options.meters?.store }, undefined, async () => {
    await log.close()
    await environment.close()
  })
}

interface EmbeddedParts {
  readonly environment: LmdbEnvironment
  readonly log: EmbeddedLog
  readonly meter: StoreMeter | undefined
}

/** `namespace` undefined: the original lineage's. */
function backendOf(parts: EmbeddedParts, namespace: string | undefined, close: () => Promise<void>): Backend {
  const { environment, log, meter } = parts
  const store = new LmdbStore(environment, namespace)
  return {
    log,
    store: meterStore(store, meter),
    commitFlush: async (session, { outputs, nextOffset, metadata, write }) => {
      const save = store.prepareSave(session.partition, write)
      await log.commitTogether(session, outputs, nextOffset, save, metadata)
    },
    inNamespace: async other => backendOf(parts, other, async () => {}),
    close,
  }
}
