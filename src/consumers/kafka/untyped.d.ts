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
