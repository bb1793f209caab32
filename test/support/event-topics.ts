import { OUTPUT_TOPICS } from '../../src/log/topic-names.ts'

/** The topics of scoring events: each event is published once. */
export const EVENT_TOPICS = OUTPUT_TOPICS.filter(
  topic => topic !== 'account-scores' && topic !== 'dead-letter',
)
