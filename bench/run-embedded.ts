import { openEmbeddedBackend } from '../src/consumers/embedded-backend.ts'
import { topicNames } from '../src/consumers/topics.ts'
import type { ModelSource } from '../src/models/model-library.ts'
import type { Signal } from '../src/scoring/signal.ts'
import { fillLog } from './fill-log.ts'
import { type EmbeddedJob, type Measurement, PARTITIONS } from './jobs.ts'
import { collectGarbage, peakRssBytes } from './measure.ts'
import { readModel } from './models.ts'
import { scoreLog } from './score-log.ts'

/** Makes an embedded log in the directory; returns how many records `signals` has. */
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
