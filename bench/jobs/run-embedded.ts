import { openEmbeddedBackend } from '../../src/app/embedded-backend.ts'
import { topicNames } from '../../src/log/topic-names.ts'
import type { ModelSource } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { collectGarbage, peakRssBytes } from '../machine/measure.ts'
import { scoreLog } from '../score/score-log.ts'
import { fillLog } from '../signals/fill-log.ts'
import { readModel } from '../signals/models.ts'
import { type EmbeddedJob, type Measurement, PARTITIONS } from './jobs.ts'

/** Fills an embedded log in the directory. Returns the number of records in `signals`. */
export async function fillEmbedded(
  directory: string,
  model: ModelSource,
  signals: Iterable<Signal>,
): Promise<number> {
  const backend = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
  try {
    return await fillLog(backend.log, topicNames('').signals, [model], signals)
  } finally {
    await backend.close()
  }
}

export async function runEmbedded({ directory, records, batchSize }: EmbeddedJob): Promise<Measurement> {
  const backend = await openEmbeddedBackend({ directory, partitions: PARTITIONS })
  try {
    const bytesBefore = await backend.store.sizeBytes()
    collectGarbage()
    const models = [readModel('rolling-score')]
    const scored = await scoreLog({ backend, topics: topicNames(''), models, batchSize, records })
    const storeBytes = (await backend.store.sizeBytes()) - bytesBefore
    return { ...scored, storeBytes, peakRssBytes: peakRssBytes() }
  } finally {
    await backend.close()
  }
}
