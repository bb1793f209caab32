import { Ajv, type ErrorObject } from 'ajv'
import schema from '../../schemas/scoring-model.schema.json' with { type: 'json' }
import { nearestName, suggestName } from '../lib/nearest-name.ts'
import type { Report } from './problems.ts'
import { describeFound, describePath, type Path, pathOfPointer, pointerOf } from './yaml/path.ts'

// `verbose` adds to each error its schema and its data. With these options ajv never changes the data.
const validate = new Ajv({ allErrors: true, verbose: true, strict: true, strictRequired: false }).compile(
  schema,
)

/** Reports every value that does not have the form that `schemas/scoring-model.schema.json` asks for. */
export function checkSchema(data: unknown, report: Report): void {
  if (validate(data)) return
  const errors = ((validate.errors ?? []) as ErrorObject[]).map(readSchemaError)
  for (const error of withoutRepetitions(errors)) {
    const { path, part, message } = explainSchemaError(error)
    report.addMalformed(path, message, part)
  }
}

/** The keywords of a JSON Schema that messages use. */
interface SchemaPart {
  readonly title?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaPart>>
  readonly oneOf?: readonly { readonly required: readonly string[] }[]
}

/** An error of ajv, with the schema and the value that it is about. */
interface SchemaError {
  readonly keyword: string
  readonly path: readonly string[]
  /** The keyword's path in the schema. It shows whether the error is from a branch of a `oneOf`. */
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  /** The keyword's value in the schema: an enum's values, a minimum. */
  readonly limit: unknown
  readonly schema: SchemaPart
  readonly found: unknown
  /** Set if the key itself is wrong, not its value. */
  readonly propertyName: string | undefined
}

function readSchemaError(error: ErrorObject): SchemaError {
  const { keyword, instancePath, schemaPath, params, schema, parentSchema, data, propertyName } = error
  return {
    keyword,
    path: pathOfPointer(instancePath),
    schemaPath,
    params,
    limit: schema,
    schema: (parentSchema ?? {}) as SchemaPart,
    found: data,
    propertyName,
  }
}

/** Leaves out repetitions: branches of a `oneOf`, and keys that are missing because they are mistyped. */
function withoutRepetitions(errors: readonly SchemaError[]): SchemaError[] {
  const meant = new Set<string>()
  const lacking = new Set<string>()
  for (const { keyword, path, params, schema } of errors) {
    if (keyword === 'dependencies') lacking.add(pointerOf([...path, String(params['missingProperty'])]))
    if (keyword !== 'additionalProperties') continue
    const key = nearestName(String(params['additionalProperty']), Object.keys(schema.properties ?? {}))
    if (key !== undefined) meant.add(pointerOf([...path, key]))
  }
  const isIn = (set: ReadonlySet<string>, error: SchemaError, key: unknown) =>
    set.has(pointerOf([...error.path, String(key)]))
  return errors.filter(error => {
    if (/\/oneOf\/\d+\//.test(error.schemaPath)) return false
    if (error.keyword === 'if' || error.keyword === 'propertyNames') return false
    if (error.keyword === 'oneOf')
      return !alternatives(error).some(key => isIn(meant, error, key) || isIn(lacking, error, key))
    return !isIn(meant, error, error.params['missingProperty'])
  })
}

/** Makes a message (found; accepted; what to do) and says where it points. */
function explainSchemaError(error: SchemaError): {
  path: Path
  part: 'key' | 'value'
  message: string
} {
  const { keyword, path, schema, params, found } = error
  const what = nameBlock(schema.title, path)
  const key = (name: unknown, message: string) =>
    ({ path: [...path, String(name)], part: 'key', message }) as const
  const block = (message: string) => ({ path, part: 'key', message }) as const
  const value = (message: string) => ({ path, part: 'value', message }) as const

  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      const keys = Object.keys(schema.properties ?? {})
      return key(
        name,
        `${describeFound(name)} is not a key of a ${schema.title ?? 'block'}; accepted: ${keys.join(', ')}; ` +
          suggestName(name, keys, 'remove it'),
      )
    }
    case 'required': {
      const name = String(params['missingProperty'])
      return block(`${what} has no ${name}; it needs one: ${accepted(schema.properties?.[name])}; add it`)
    }
    case 'dependencies': {
      const { property, missingProperty } = params
      return key(
        property,
        `${what} has ${property} without ${missingProperty}; they go together; add ${missingProperty} or remove ${property}`,
      )
    }
    case 'oneOf': {
      const names = alternatives(error)
      const given = names.filter(name => typeof found === 'object' && found !== null && name in found)
      const has = given.length === 0 ? 'none of them' : given.join(' and ')
      return block(
        `${what} has ${has}; it needs exactly one of ${names.join(', ')}; ${given.length === 0 ? 'add one' : 'keep one'}`,
      )
    }
    case 'enum': {
      const values = (error.limit as unknown[]).map(String)
      return value(
        `found ${describeFound(found)}; accepted: ${values.join(', ')}; ${suggestName(typeof found === 'string' ? found : '', values, 'write one of these')}`,
      )
    }
    case 'uniqueItems': {
      const index = Math.max(Number(params['i']), Number(params['j']))
      const item = Array.isArray(found) ? found[index] : undefined
      return {
        path: [...path, index],
        part: 'value',
        message: `found ${describeFound(item)} twice; each is given once; delete one of them`,
      }
    }
    default:
      return explainLimit(error)
  }
}

/** Explains a value (or a name) of the wrong type, size or form. */
function explainLimit(error: SchemaError): { path: Path; part: 'key' | 'value'; message: string } {
  const { keyword, path, schema, found, propertyName, limit } = error
  const example = schema.examples?.[0]
  const todo = example === undefined ? 'change it' : `write, for example, ${JSON.stringify(example)}`
  const wanted = accepted(schema)
  const described = `found ${describeFound(found)}${sizeOf(keyword, found)}; accepted: ${wanted}`
  const bound = BOUNDS[keyword]?.(limit)
  const message = `${described}${bound === undefined || wanted.includes(bound) ? '' : ` (${bound})`}; ${todo}`
  if (propertyName === undefined) return { path, part: 'value', message }
  return { path: [...path, propertyName], part: 'key', message }
}

const BOUNDS: Readonly<Record<string, (limit: unknown) => string>> = {
  minimum: limit => `at least ${limit}`,
  maximum: limit => `at most ${limit}`,
  exclusiveMinimum: limit => `more than ${limit}`,
  minLength: limit => `at least ${limit} characters`,
  maxLength: limit => `at most ${limit} characters`,
  minItems: limit => `at least ${limit}`,
  maxItems: limit => `at most ${limit}`,
  minProperties: limit => `at least ${limit}`,
  maxProperties: limit => `at most ${limit}`,
  type: limit => TYPE_WORDS[String(limit)] ?? String(limit),
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  array: 'a list',
  object: 'a block of keys',
}

function sizeOf(keyword: string, found: unknown): string {
  if (keyword === 'maxLength' && typeof found === 'string') return ` of ${found.length} characters`
  if (keyword.endsWith('Properties') && typeof found === 'object' && found !== null) {
    return ` with ${Object.keys(found).length} entries`
  }
  return ''
}

/** The first clause of a schema's description. Only editors have room for the rest. */
function accepted(schema: SchemaPart | undefined): string {
  const text = schema?.description ?? 'another value'
  return decapitalise(text.split(/[.;](?: |$)/)[0]!)
}

/** Names the block that has a problem: `the rule breadth`, `score`, `the tier tiers[1]`. */
function nameBlock(title = 'block', path: readonly string[]): string {
  const last = path.at(-1)
  if (last === undefined) return `the ${title}`
  const name = describePath(path.slice(/^\d+$/.test(last) ? -2 : -1))
  return name === title ? name : `the ${title} ${name}`
}

function decapitalise(text: string): string {
  return /^[A-Z][a-z]|^A /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}

function alternatives(error: SchemaError): string[] {
  return (error.schema.oneOf ?? []).map(branch => branch.required[0]!)
}
