/** The BroadcastChannels between `score-process.ts` and its threads: whoever is on one hears all others on it. */
export const TOLD_BY_THREADS = 'upswell-bench-told-by-threads'
export const TOLD_TO_THREADS = 'upswell-bench-told-to-threads'
