import type { Backend } from '../consumers/backend.ts'
import { type LmdbEnvironment, openLmdbEnvironment } from '../lib/lmdb-environment.ts'
import type { Outages } from '../lib/logger.ts'
import { EmbeddedLog } from '../log/lmdb/lmdb-log.ts'
import type { TopicPartitions } from '../log/lmdb/lmdb-topics.ts'
import { LmdbStore } from '../store/lmdb/lmdb-store.ts'

export interface EmbeddedBackendOptions {
  /** Created if it is missing. */
  readonly directory: string
  readonly partitions: TopicPartitions
  /** Gets the failures of handlers. Undefined: nobody looks at them. */
  readonly outages?: Outages
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
    onProblem: ({ topic, partition, error }) =>
      options.outages?.failed(`${topic}/${partition}`, error, { topic, partition }),
    onWell: ({ topic, partition }) => options.outages?.works(`${topic}/${partition}`),
  })
  return backendOf(environment, log, undefined, async () => {
    await log.close()
    await environment.close()
  })
}

/** `namespace` undefined: the original lineage's. */
function backendOf(
  environment: LmdbEnvironment,
  log: EmbeddedLog,
  namespace: string | undefined,
  close: () => Promise<void>,
): Backend {
  const store = new LmdbStore(environment, namespace)
  return {
    log,
    store,
    commitFlush: async (session, { outputs, nextOffset, metadata, write }) => {
      const save = store.prepareSave(session.partition, write)
      await log.commitTogether(session, outputs, nextOffset, save, metadata)
    },
    inNamespace: async other => backendOf(environment, log, other, async () => {}),
    close,
  }
}
