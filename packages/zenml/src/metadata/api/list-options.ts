import { decodeMessage, encodeMessage } from '../../base/proto/wire.ts'
import { messages } from '../wire/messages.ts'
import type { ListOptions, OrderField, Whole } from './messages.ts'
import { invalid } from './status.ts'

/** A page of a list: how many, in which order, behind which node. */
export interface Page {
  readonly size: number
  readonly field: OrderField
  readonly ascending: boolean
  /** The last node of the page before: its id, and its value of the field. */
  readonly after: { readonly id: number; readonly value: number } | undefined
}

/** What the token of a page holds. */
interface Token {
  readonly idOffset?: Whole
  readonly fieldOffset?: Whole
  readonly setOptions?: ListOptions
}

const mostListed = 100

/**
 * The page that options ask for. Throws `INVALID_ARGUMENT` for a size below 1, an order without a field, and a token that is none
 * or was given for another order or filter.
 */
export function pageOf(options: ListOptions = {}): Page {
  const { maxResultSize = 20, orderByField = {}, nextPageToken } = options
  if (maxResultSize <= 0) throw invalid(`max_result_size is ${maxResultSize}; it must be 1 or more.`)
  const { field = 'ID', isAsc = true } = orderByField
  if (field === 'FIELD_UNSPECIFIED') throw invalid('order_by_field has no field.')
  return {
    size: Math.min(maxResultSize, mostListed),
    field,
    ascending: isAsc,
    after: nextPageToken ? decodeToken(nextPageToken, options) : undefined,
  }
}

function decodeToken(text: string, options: ListOptions): { id: number; value: number } {
  let token: Token
  try {
    if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new Error('It is not base64.')
    token = decodeMessage(messages.ListOperationNextPageToken, Buffer.from(text, 'base64url')) as Token
  } catch (error) {
    throw invalid(`next_page_token is none that was given: ${error instanceof Error ? error.message : String(error)}`)
  }
  const before = token.setOptions ?? {}
  const same = (a: ListOptions, b: ListOptions): boolean =>
    a.filterQuery === b.filterQuery &&
    a.orderByField?.field === b.orderByField?.field &&
    a.orderByField?.isAsc === b.orderByField?.isAsc
  if (!same(before, options)) throw invalid('next_page_token was given for another order or filter.')
  if (token.idOffset === undefined || token.fieldOffset === undefined) throw invalid('next_page_token is none that was given.')
  return { id: Number(token.idOffset), value: Number(token.fieldOffset) }
}

/** The token of the page behind a node. */
export function tokenBehind(options: ListOptions, last: { readonly id: number; readonly value: number }): string {
  const { nextPageToken: _token, ...setOptions } = options
  const token: Token = { idOffset: last.id, fieldOffset: last.value, setOptions }
  return Buffer.from(encodeMessage(messages.ListOperationNextPageToken, { ...token })).toString('base64url')
}
