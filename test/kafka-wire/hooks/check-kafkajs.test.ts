import { expect, it } from 'vitest'
import {
  type Hook,
  requireKnownKafkajs,
  UnknownKafkajsError,
} from '../../../src/kafka-wire/hooks/check-kafkajs.ts'

const FITTING: Hook = { name: 'broker#connect', expected: 'async function/0', find: () => 'async function/0' }
const MISSING: Hook = { name: 'cluster#findBroker', expected: 'async function/1', find: () => 'nothing' }
const THROWING: Hook = {
  name: 'protocol/error.js',
  expected: 'function/1',
  find: () => {
    throw new Error("Cannot find module 'kafkajs/src/protocol/error.js'\nRequire stack: …")
  },
}

it('accepts the installed kafkajs, whose hooks are not installed yet', () => {
  expect(() => requireKnownKafkajs()).not.toThrow()
})

it('lists every difference in one error, with the remedy', () => {
  const check = () => requireKnownKafkajs('2.3.0', [FITTING, MISSING, THROWING])
  expect(check).toThrow(UnknownKafkajsError)
  expect(check).toThrow(
    [
      'kafkajs 2.3.0 is installed, but this program uses internals of version 2.2.4. These internals differ:',
      '  cluster#findBroker: expected async function/1, found nothing',
      "  protocol/error.js: expected function/1, found an error (Cannot find module 'kafkajs/src/protocol/error.js')",
      'Install that version: npm i kafkajs@2.2.4',
    ].join('\n'),
  )
})

it('refuses another version even if all hooks fit', () => {
  expect(() => requireKnownKafkajs('2.2.5', [FITTING])).toThrow(
    /^kafkajs 2\.2\.5 is installed.*nobody has checked.*\nInstall that version: npm i kafkajs@2\.2\.4$/,
  )
})

it('refuses the known version if a hook differs', () => {
  expect(() => requireKnownKafkajs('2.2.4', [MISSING])).toThrow(
    'cluster#findBroker: expected async function/1',
  )
})
