import { topicNames } from '../../../src/log/topic-names.ts'

/** The names of a simulation's topics. */
export const TOPICS = topicNames('')
