/** What the Kafka adapter uses of packages that bring no types. */

declare module 'snappyjs' {
  export function compress(data: Buffer): Buffer
  export function uncompress(data: Buffer): Buffer
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** An internal class of kafkajs 2.2.4; see request-queue.ts. */
  const RequestQueue: { readonly prototype: { pending: unknown[]; scheduleCheckPendingRequests(): void } }
  // biome-ignore lint/style/noDefaultExport: it is how a CommonJS module's exports look from here
  export default RequestQueue
}

declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  /** Internal: how kafkajs 2.2.4 encodes each version of the request; see fetch-connection.ts. */
  const fetch: {
    readonly versions: readonly string[]
    protocol(options: { readonly version: number }): (request: object) => {
      readonly request: { readonly apiVersion: number }
      readonly requestTimeout: number
    }
  }
  // biome-ignore lint/style/noDefaultExport: it is how a CommonJS module's exports look from here
  export default fetch
}

declare module 'kafkajs/src/protocol/error.js' {
  /** Internal: the table of the protocol's errors in kafkajs 2.2.4. */
  const errors: { createErrorFromCode(code: number): Error }
  // biome-ignore lint/style/noDefaultExport: it is how a CommonJS module's exports look from here
  export default errors
}

declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  import type { ProduceRequest } from './produce-request.ts'

  type Create = (request: ProduceRequest) => {
    readonly request: { encode(): Promise<{ readonly buffer: Buffer }> }
  }
  /** Internal: how kafkajs 2.2.4 makes each version of the request; see produce-request.ts. */
  const produce: { protocol(options: { readonly version: string | number }): Create }
  // biome-ignore lint/style/noDefaultExport: it is how a CommonJS module's exports look from here
  export default produce
}
