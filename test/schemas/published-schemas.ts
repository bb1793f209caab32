import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { parseRfc3339 } from '../../src/signals/rfc3339.ts'

const FOLDER = new URL('../../schemas/', import.meta.url)
const EXTENSION = '.schema.json'

/** The JSON Schemas of the topics' records, by file name. */
export const SCHEMAS: ReadonlyMap<string, Record<string, unknown>> = new Map(
  readdirSync(FOLDER)
    .filter(file => file.endsWith(EXTENSION) && file !== 'scoring-model.schema.json')
    .map(file => [file, JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))]),
)

/** The parts of asyncapi.yaml that the tests read. */
export interface AsyncApi {
  readonly asyncapi: string
  readonly info: object
  readonly channels: Readonly<Record<string, { readonly address: string }>>
  readonly operations: Readonly<
    Record<string, { readonly action: 'send' | 'receive'; readonly channel: { readonly $ref: string } }>
  >
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly headers?: object; readonly payload?: object }>>
    readonly schemas: Readonly<Record<string, object>>
  }
}

export const ASYNCAPI = parse(readFileSync(new URL('asyncapi.yaml', FOLDER), 'utf8')) as AsyncApi

/**
 * Compiles a schema of a file in `schemas/`.
 * @param schema a schema, or a reference such as `tier-change.schema.json` or
 * `signal.schema.json#/$defs/event`
 */
export function compileSchema(schema: string | object): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  ajv.addFormat('date-time', text => parseRfc3339(text) !== undefined)
  for (const published of SCHEMAS.values()) ajv.addSchema(published)
  return ajv.compile(typeof schema === 'string' ? { $ref: schema } : schema)
}

export interface Resolved {
  /** The file that holds it. */
  readonly file: string
  readonly value: unknown
}

/** The schema of a message's headers or payload in `asyncapi.yaml`. */
export function compileMessage(name: string, part: 'headers' | 'payload'): ValidateFunction {
  const schema = withoutReferences(ASYNCAPI.components.messages[name]![part]) as { readonly $id?: string }
  // Its references are resolved, so it must not be taken for a file.
  const { $id: _, ...resolved } = schema
  return compileSchema(resolved)
}

/** The target of a reference in `asyncapi.yaml` or in a schema. */
export function resolveReference(reference: string, from: string): Resolved {
  const [path, pointer = ''] = reference.split('#') as [string, string?]
  const file = path === '' ? from : path.replace(/^\.\//, '')
  const document = file === 'asyncapi.yaml' ? ASYNCAPI : SCHEMAS.get(file)
  if (document === undefined) throw new Error(`${reference} in ${from}: schemas/${file} is not there`)
  let value: unknown = document
  for (const step of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
    value = (value as Record<string, unknown> | undefined)?.[key]
    if (value === undefined) throw new Error(`${reference} in ${from}: there is no ${key}`)
  }
  return { file, value }
}

/** A part of `asyncapi.yaml` with every reference replaced by its target. */
export function withoutReferences(node: unknown, file = 'asyncapi.yaml'): unknown {
  if (Array.isArray(node)) return node.map(item => withoutReferences(item, file))
  if (typeof node !== 'object' || node === null) return node
  if ('$ref' in node) {
    const target = resolveReference(String(node.$ref), file)
    return withoutReferences(target.value, target.file)
  }
  return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, withoutReferences(inner, file)]))
}
