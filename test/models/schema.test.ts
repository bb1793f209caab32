import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import schema from '../../schemas/scoring-model.schema.json' with { type: 'json' }
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { DIMENSIONS, MOTIONS, PRIORITIES } from '../../src/scoring/definition/model-definition.ts'
import { SHIPPED_MODELS } from './model-text.ts'

interface Part {
  readonly [key: string]: unknown
}

/** All schemas within the schema, with their paths. */
function* partsOf(part: Part, place: string): Generator<[place: string, part: Part]> {
  yield [place, part]
  for (const key of ['properties', 'definitions']) {
    for (const [name, inner] of Object.entries((part[key] ?? {}) as Record<string, Part>)) {
      yield* partsOf(inner, `${place}/${key}/${name}`)
    }
  }
  for (const key of ['items', 'then', 'else', 'additionalProperties', 'propertyNames']) {
    const inner = part[key]
    if (typeof inner === 'object' && inner !== null) yield* partsOf(inner as Part, `${place}/${key}`)
  }
}

const PARTS = [...partsOf(schema as Part, '#')]

describe('the JSON Schema of scoring models', () => {
  it('is valid', () => {
    expect(new Ajv().validateSchema(schema)).toBe(true)
  })

  it('describes every key, for editors', () => {
    const silent = PARTS.filter(
      ([place, part]) => /\/properties\/[^/]+$/.test(place) && part['description'] === undefined,
    )
    expect(silent.map(([place]) => place)).toEqual([])
  })

  it('describes every part that a message may name', () => {
    const silent = PARTS.filter(([, part]) => part['$ref'] === undefined && part['description'] === undefined)
    // This part is a wrapper: no error is about it.
    expect(silent.map(([place]) => place)).toEqual(['#/definitions/casePoints/then'])
  })

  it('has an example, a default or a choice for every key that takes a plain value, for editors', () => {
    const isHelpful = (part: Part): boolean => {
      if (['examples', 'default', 'enum'].some(key => key in part)) return true
      const target = PARTS.find(([place]) => place === part['$ref'])?.[1]
      return target === undefined ? ['object', 'array'].includes(String(part['type'])) : isHelpful(target)
    }
    const bare = PARTS.filter(([place, part]) => /\/properties\/[^/]+$/.test(place) && !isHelpful(part))
    expect(bare.map(([place]) => place)).toEqual([])
  })

  it('has a default for every key whose description names one', () => {
    const withDefault = PARTS.filter(
      ([place, part]) =>
        /\/properties\/[^/]+$/.test(place) &&
        /Default: -?[0-9]+\.$/.test(String(part['description'])) &&
        part['$ref'] === undefined,
    )
    expect(withDefault.length).toBeGreaterThan(5)
    for (const [place, part] of withDefault) {
      expect([place, String(part['description'])]).toEqual([
        place,
        expect.stringMatching(new RegExp(`Default: ${part['default']}\\.$`)),
      ])
    }
  })

  it('accepts only keys that it names', () => {
    const open = PARTS.filter(
      ([, part]) => part['type'] === 'object' && part['additionalProperties'] === undefined,
    )
    expect(open.map(([place]) => place)).toEqual([])
  })

  it('limits every text, list and block', () => {
    const unbounded = PARTS.filter(([, part]) => {
      if (part['type'] === 'string') return part['maxLength'] === undefined && part['pattern'] === undefined
      if (part['type'] === 'array') return part['maxItems'] === undefined && part['uniqueItems'] !== true
      return part['propertyNames'] !== undefined && part['maxProperties'] === undefined
    })
    expect(unbounded.map(([place]) => place)).toEqual([])
  })

  it('accepts its own examples and defaults', () => {
    const ajv = new Ajv({ strict: false }).addSchema(schema)
    for (const [place, part] of PARTS) {
      const values = [
        ...((part['examples'] ?? []) as unknown[]),
        ...('default' in part ? [part['default']] : []),
      ]
      for (const value of values) {
        const isAccepted = ajv.validate({ $ref: `${schema.$id}${place}` }, value)
        expect([place, value, isAccepted]).toEqual([place, value, true])
      }
    }
  })

  it('offers the dimensions, motions and priorities that scoring knows', () => {
    const { dimension, trigger, alert } = schema.definitions
    expect(dimension.enum).toEqual(DIMENSIONS)
    expect(trigger.properties.motion.enum).toEqual(MOTIONS)
    expect(alert.properties.priority.enum).toEqual(PRIORITIES)
  })

  it('is named in the first line of every shipped model, where editors look for it', () => {
    for (const file of SHIPPED_MODELS) {
      const [first] = readFileSync(join(PACKAGE_ROOT, file), 'utf8').split('\n')
      expect(first).toBe('# yaml-language-server: $schema=../schemas/scoring-model.schema.json')
    }
  })
})
