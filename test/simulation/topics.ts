import { topicNames } from '../../src/consumers/topics.ts'

/** The names of a simulation's topics. */
export const TOPICS = topicNames('')
