import type { Backend } from '../consumers/backend.ts'
import { describeError } from '../lib/errors.ts'
import { type LmdbEnvironment, openLmdbEnvironment } from '../lib/lmdb-environment.ts'
import { EmbeddedLog } from '../log/lmdb/lmdb-log.ts'
import type { TopicPartitions } from '../log/lmdb/lmdb-topics.ts'
import { LmdbStore } from '../store/lmdb/lmdb-store.ts'

export interface EmbeddedBackendOptions {
  /** Made if it is missing. */
  readonly directory: string
  readonly partitions: TopicPartitions
  /** Is told of every handler that threw; a pino logger fits. */
  readonly log?: { warn(details: object, message: string): void }
}

/**
 * Log and store in one LMDB environment. A batch is one transaction: outputs, consumed offset, states and watermark are there
 * together or not at all, whatever dies, and `commitBatch` resolves when they are on the disk.
 * @throws UpswellError STORE_UNAVAILABLE: the directory cannot be written; STATE_UNREADABLE: it holds something else.
 */
export async function openEmbeddedBackend(options: EmbeddedBackendOptions): Promise<Backend> {
  const environment = await openLmdbEnvironment(options.directory)
  const log = new EmbeddedLog(environment, {
    partitions: options.partitions,
    onProblem: ({ topic, partition, error, retryInMs }) =>
      options.log?.warn(
        { topic, partition, err: error, retryInMs },
        `Consuming ${topic}/${partition} failed and is tried again: ${describeError(error)}`,
      ),
  })
  return backendOf(environment, log, undefined, async () => {
    await log.close()
    await environment.close()
  })
}

/** @param namespace undefined: that of the embedded default itself. */
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
    commitBatch: async (session, { outputs, nextOffset, metadata, write }) => {
      const save = store.prepareSave(session.partition, write)
      await log.commitTogether(session, outputs, nextOffset, save, metadata)
    },
    inNamespace: async other => backendOf(environment, log, other, async () => {}),
    close,
  }
}
