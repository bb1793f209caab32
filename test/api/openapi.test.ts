import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOW, POPULATION, signal, World } from './world.ts'

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: object }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Record<string, { schema: object }> }>
  >
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

describe('GET /openapi.json', () => {
  let world: World
  let document: Document

  beforeAll(async () => {
    world = await World.create([POPULATION])
    await world.append([
      signal('acme', { id: 'seats', kind: 'contract', name: 'contract', properties: { seats: 1 } }),
      signal('acme', { id: 'used', userId: 'u1' }),
    ])
    document = (await world.api.inject('/openapi.json')).json()
  })

  afterAll(async () => {
    await world.api.close()
  })

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )

  it('describes every route in OpenAPI 3.1', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(operations().map(({ path, method }) => `${method} ${path}`)).toEqual([
      'get /v1/accounts',
      'get /v1/accounts/{id}',
      'get /v1/accounts/{id}/explanation',
      'get /v1/rates/{id}',
      'get /v1/kpis',
      'post /v1/signals',
      'get /livez',
      'get /readyz',
      'get /metrics',
      'get /openapi.json',
      'get /',
    ])
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('declares the parameters of each path, and describes each response', () => {
    for (const { path, operation } of operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = (operation.parameters ?? []).filter(each => each.in === 'path').map(each => each.name)
      expect(declared, path).toEqual(named)
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.description, `${path} ${status}`).toMatch(/\w/)
        expect(response.description).not.toBe('Default Response')
      }
    }
  })

  it('has no broken reference', () => {
    const references: string[] = []
    JSON.stringify(document, (key, value) => {
      if (key === '$ref') references.push(value)
      return value
    })
    expect(references.length).toBeGreaterThan(10)
    for (const reference of references) {
      const target = reference
        .replace('#/', '')
        .split('/')
        .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], document)
      expect(target, reference).toBeTypeOf('object')
    }
  })

  it.each([
    ['/v1/accounts', '/v1/accounts', '200', 'application/json'],
    ['/v1/accounts/{id}', '/v1/accounts/acme', '200', 'application/json'],
    ['/v1/accounts/{id}/explanation', '/v1/accounts/acme/explanation', '200', 'application/json'],
    ['/v1/accounts', '/v1/accounts?limit=0', '400', 'application/problem+json'],
    ['/v1/accounts/{id}', '/v1/accounts/nobody', '404', 'application/problem+json'],
    ['/v1/rates/{id}', '/v1/rates/invitation-rate?by=stage&every=week', '200', 'application/json'],
    ['/v1/rates/{id}', '/v1/rates/nothing', '404', 'application/problem+json'],
    ['/v1/kpis', '/v1/kpis?by=motion', '200', 'application/json'],
    ['/v1/kpis', '/v1/kpis?by=nothing', '400', 'application/problem+json'],
    ['/livez', '/livez', '200', 'application/json'],
    ['/readyz', '/readyz', '200', 'application/json'],
    ['/', '/', '200', 'application/json'],
  ])('describes what %s answers to %s', async (path, url, status, type) => {
    const response = await world.api.inject(url)
    expect(response.statusCode).toBe(Number(status))
    const { schema } = document.paths[path]!['get']!.responses[status]!.content![type]!
    expect(problemsOf(schema, response.json())).toEqual([])
  })

  it('describes the accepted signals', async () => {
    const { schema } = document.paths['/v1/signals']!['post']!.requestBody!.content['application/json']!
    const valid = {
      id: 's1',
      kind: 'intent',
      name: 'a',
      accountId: 'a',
      occurredAt: new Date(NOW).toISOString(),
    }
    expect(problemsOf(schema, valid)).toEqual([])
    expect(problemsOf(schema, [valid, { ...valid, properties: { a: 1, b: null } }])).toEqual([])
    expect(problemsOf(schema, [])).not.toEqual([])
    expect(problemsOf(schema, { ...valid, kind: 'other' })).not.toEqual([])
    const override = (properties: object) =>
      problemsOf(schema, { ...valid, kind: 'override', properties }).length === 0
    const decided = { reason: 'r', author: 'a', expiresAt: '2026-12-31T00:00:00Z' }
    expect(override({ ...decided, score: 1 })).toBe(true)
    expect(override({ ...decided, hold: true })).toBe(true)
    expect(override({ reason: 'r', author: 'a', lift: true })).toBe(true)
    expect(override(decided)).toBe(false)
    expect(override({ ...decided, hold: false })).toBe(false)
    expect(override({ ...decided, lift: true, tier: 'hot' })).toBe(false)
    expect(override({ reason: 'r', author: 'a', score: 1 })).toBe(false)
  })

  function problemsOf(schema: object, value: unknown) {
    // Puts the document's definitions next to the schema, so that references resolve.
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    const validate = ajv.compile({ ...schema, components: document.components })
    validate(value)
    return validate.errors ?? []
  }
})
