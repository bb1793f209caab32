import { Type } from '@sinclair/typebox'
import type { ApiInstance } from '../api-instance.ts'
import { type ExplanationDocument, ExplanationSchema } from '../documents/explanation-schemas.ts'
import { explanation } from '../documents/explanation-view.ts'
import { problemResponses, Unchanged } from '../documents/schemas.ts'
import { answerUnchanged } from '../plugins/answer-unchanged.ts'
import { ONE_ACCOUNT } from '../plugins/limit-memory.ts'
import { Problem } from '../plugins/problems.ts'
import { chooseModel } from '../read/choose-model.ts'
import { AccountParams, After, findAccount } from '../read/find-account.ts'
import type { RecordWaiter } from '../read/record-waiter.ts'
import type { Served } from '../read/served.ts'

const Query = Type.Object(
  {
    model: Type.Optional(Type.String({ description: 'the id of a model; left out: the first by id' })),
    after: After,
  },
  { additionalProperties: false },
)

/** `GET /v1/accounts/{id}/explanation`: the reasons for a score, and what would lift it to the next tier. */
export function routeExplainAccount(api: ApiInstance, served: Served, waiter: RecordWaiter): void {
  api.get(
    '/v1/accounts/:id/explanation',
    {
      schema: {
        operationId: 'explainAccount',
        summary: 'Why a score is what it is, and what would lift it to the next tier',
        tags: ['accounts'],
        params: AccountParams,
        querystring: Query,
        response: {
          200: ExplanationSchema,
          304: Unchanged,
          ...problemResponses({
            400: 'The query is not valid, or UNKNOWN_SEQUENCE: the log has no record after; detail says what was found and what is accepted',
            404: 'NOT_FOUND: no such account; NO_SCORE: no model has scored it yet',
            503: 'STORE_FILLING: the account’s partition of the store is being filled; NOT_READY: it is not known yet whether a replay was promoted; NOT_CAUGHT_UP: the store does not hold the record of after yet; STOPPING: the process is stopping',
          }),
        },
      },
      config: ONE_ACCOUNT,
      onSend: answerUnchanged,
    },
    async ({ params, query }, reply): Promise<ExplanationDocument> => {
      const isGone = () => reply.raw.destroyed
      const account = await findAccount(served(), waiter, params.id, query.after, isGone)
      const { standings } = account.scores
      if (standings.length === 0) throw new Problem('NO_SCORE', 'No model has scored this account yet.')
      const ids = standings.map(({ model }) => model.definition.id)
      const index = ids.indexOf(chooseModel(ids, query.model))
      return explanation(account, standings[index]!)
    },
  )
}
