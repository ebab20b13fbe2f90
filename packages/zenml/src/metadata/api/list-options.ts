import { decodeMessage } from '../../base/proto/decode.ts'
import { encodeMessage } from '../../base/proto/encode.ts'
import { messageSpecs } from '../wire/messages.ts'
import type { ListOptions, OrderField, Whole } from './messages.ts'
import { invalid } from './status.ts'

/** A page of a list: how many, in which order, behind which node. */
export interface Page {
  readonly size: number
  readonly field: OrderField
  readonly ascending: boolean
  readonly after: Offset | undefined
}

/** Where a page ends: the last node's id and value of the field, and the ids before it of the same value. */
export interface Offset {
  readonly id: number
  readonly value: number
  readonly listed: readonly number[]
}

const tokenSpec = messageSpecs.get('ml_metadata.ListOperationNextPageToken')!

/** What the token of a page holds. In the order of updates the real core lists ids instead of the last one's. */
interface Token {
  readonly idOffset?: Whole
  readonly listedIds?: readonly Whole[]
  readonly fieldOffset?: Whole
  readonly setOptions?: ListOptions
}

const mostListed = 100

/**
 * The page that options ask for. Throws `INVALID_ARGUMENT` for a size below 1, an order without a field, and a token that is none
 * or was given for another order or filter.
 */
export function pageOf(options: ListOptions): Page {
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

function decodeToken(text: string, options: ListOptions): Offset {
  let token: Token
  try {
    if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new Error('It is not base64.')
    token = decodeMessage(tokenSpec, Buffer.from(text, 'base64url')) as Token
  } catch (error) {
    throw invalid(`next_page_token is none that was given: ${error instanceof Error ? error.message : String(error)}`)
  }
  const before = token.setOptions ?? {}
  const same = (a: ListOptions, b: ListOptions): boolean =>
    (a.filterQuery ?? '') === (b.filterQuery ?? '') &&
    (a.orderByField?.field ?? 'ID') === (b.orderByField?.field ?? 'ID') &&
    (a.orderByField?.isAsc ?? true) === (b.orderByField?.isAsc ?? true)
  if (!same(before, options)) throw invalid('next_page_token was given for another order or filter.')
  const listed = (token.listedIds ?? []).map(Number)
  const ascending = options.orderByField?.isAsc ?? true
  const furthest = listed.reduce<number | undefined>(
    (most, one) => (most === undefined || one > most === ascending ? one : most),
    undefined,
  )
  const id = token.idOffset ?? furthest
  const [last, value] = [Number(id), Number(token.fieldOffset)]
  // No page ends at an id or a time that is missing or that no number holds.
  if (!Number.isSafeInteger(last) || !Number.isSafeInteger(value))
    throw invalid('next_page_token is none that was given.')
  return { id: last, value, listed }
}

/** The token of the page behind nodes in their order, each with its value of the field. */
export function tokenBehind(
  options: ListOptions,
  page: Page,
  shown: readonly { readonly id: number; readonly value: number }[],
): string {
  const { nextPageToken: _token, ...setOptions } = options
  const { id, value } = shown.at(-1)!
  const before = page.after?.value === value ? page.after.listed : []
  const same = shown.filter((one) => one.value === value).map((one) => one.id)
  const listedIds = [...same.reverse(), ...before]
  const token: Token =
    page.field === 'LAST_UPDATE_TIME'
      ? { fieldOffset: value, setOptions, listedIds }
      : { idOffset: id, fieldOffset: value, setOptions }
  return Buffer.from(encodeMessage(tokenSpec, { ...token })).toString('base64url')
}
