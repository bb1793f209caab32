import { Type } from '@sinclair/typebox'
import type { ApiInstance } from '../api-instance.ts'
import { accountDocument } from '../documents/account-view.ts'
import { UnreadView } from '../documents/limits-view.ts'
import { type AccountDocument, AccountSchema, problemResponses, Unchanged } from '../documents/schemas.ts'
import { answerUnchanged } from '../plugins/answer-unchanged.ts'
import { ONE_ACCOUNT } from '../plugins/limit-memory.ts'
import { AccountParams, After, findAccount } from '../read/find-account.ts'
import type { RecordWaiter } from '../read/record-waiter.ts'
import type { Served } from '../read/served.ts'

/** `GET /v1/accounts/{id}`: an account's standings in every model, and what to do next. */
export function routeGetAccount(api: ApiInstance, served: Served, waiter: RecordWaiter): void {
  const unreadView = new UnreadView()
  api.get(
    '/v1/accounts/:id',
    {
      schema: {
        operationId: 'getAccount',
        summary: 'The standings of one account, its open PQLs and its next play',
        tags: ['accounts'],
        params: AccountParams,
        querystring: Type.Object({ after: After }, { additionalProperties: false }),
        response: {
          200: AccountSchema,
          304: Unchanged,
          ...problemResponses({
            400: 'The query is not valid, or UNKNOWN_SEQUENCE: the log has no record after; detail says what was found and what is accepted',
            404: 'NOT_FOUND: no signal of this account was ever scored',
            503: 'STORE_FILLING: the account’s partition of the store is being filled; NOT_READY: it is not known yet whether a replay was promoted; NOT_CAUGHT_UP: the store does not hold the record of after yet; STOPPING: the process is stopping',
          }),
        },
      },
      config: ONE_ACCOUNT,
      onSend: answerUnchanged,
    },
    async ({ params, query }, reply): Promise<AccountDocument> => {
      const isGone = () => reply.raw.destroyed
      const account = await findAccount(served(), waiter, params.id, query.after, isGone)
      return accountDocument(account, unreadView)
    },
  )
}
