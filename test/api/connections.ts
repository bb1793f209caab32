import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Makes the API listen on a free port. */
export async function listen(api: FastifyInstance): Promise<number> {
  await api.listen({ host: '127.0.0.1', port: 0 })
  return (api.server.address() as AddressInfo).port
}

/** A TCP connection that sends what it is given, so that a request can be half-sent. */
export class Connection {
  readonly socket: Socket
  /** All bytes that came, once the other side has closed the connection. */
  readonly received: Promise<string>
  #text = ''

  private constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1').on('data', text => {
      this.#text += text
    })
    this.received = new Promise(resolve => {
      socket.on('error', () => {}).once('close', () => resolve(this.#text))
    })
  }

  static async open(port: number, text = ''): Promise<Connection> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const connection = new Connection(socket)
    if (text !== '') socket.write(text)
    return connection
  }

  /** The only answer on this connection; undefined: it was closed without one. */
  async answer(): Promise<Answer | undefined> {
    const text = await this.received
    if (text === '') return undefined
    const [head, body] = text.split('\r\n\r\n', 2)
    const [statusLine, ...lines] = head!.split('\r\n')
    const headers = Object.fromEntries(lines.map(line => line.toLowerCase().split(/: (.*)/, 2)))
    return { status: Number(statusLine!.split(' ')[1]), headers, body: JSON.parse(body!) }
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
}

/** A request as bytes; its connection is kept open, unless the server closes it. */
export function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: upswell\r\n\r\n`
}

/** @param length what the header says; the body may be shorter */
export function post(path: string, body: string, length = Buffer.byteLength(body)): string {
  return `POST ${path} HTTP/1.1\r\nhost: upswell\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`
}
