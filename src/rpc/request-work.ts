// The calls of one request, worked on a few at a time as turns come (client-scheduler.ts).
//
// Calls start in their order. A call that waits delays those after it, except a call that changes something: a batch of
// transactions is submitted together. Answers stand in the order of the calls. When the room for answers or
// the time for the request is used up, or the address owes too much, the calls that are left are refused one by one.

import type { Json } from '../encoding/fields.ts'
import type { Turn } from './client-scheduler.ts'
import { CODES, RpcError } from './errors.ts'
import {
  type Answer,
  answerError,
  answerResult,
  type Call,
  errorText,
  readCall,
  readParams,
  type Service,
} from './json-rpc.ts'
import { findMethod, isEffective } from './methods.ts'
import { Slices } from './outcome.ts'

/** What a request is answered with, in the making. */
export class RequestWork {
  readonly #service: Service
  readonly #calls: readonly Json[]
  readonly #isBatch: boolean
  readonly #isTrusted: boolean
  readonly #answers: (Answer | Promise<Answer>)[] = []
  #next = 0
  /** Characters of the answers so far. */
  characters = 0
  #spentMs = 0
  /** A call whose work is done in slices. */
  #sliced: { readonly call: Call; readonly slices: Slices } | null = null

  /** `isTrusted` says whether the sender has shown the node's cookie. */
  constructor(service: Service, request: Json, isTrusted: boolean) {
    this.#service = service
    this.#isBatch = Array.isArray(request)
    this.#calls = Array.isArray(request) ? request : [request]
    this.#isTrusted = isTrusted
  }

  /** Works until the turn ends. */
  step(turn: Turn): 'done' | 'more' | Promise<void> {
    const beganMs = turn.now()
    const spentBeforeMs = this.#spentMs
    while (this.#hasMore()) {
      const refusal = this.#refusal(turn)
      if (refusal !== null) this.#refuse(refusal)
      else {
        const waiting = this.#work(turn)
        this.#spentMs = spentBeforeMs + turn.now() - beganMs
        if (waiting !== null) return waiting
        if (turn.now() >= turn.endMs && this.#hasMore()) return 'more'
      }
    }
    return 'done'
  }

  /** The text of the answer, null when there is nothing to answer; resolves when the submitted transactions are durable too. */
  async text(): Promise<string | null> {
    const texts = (await Promise.all(this.#answers)).filter(text => text !== null)
    if (texts.length === 0) return null
    return this.#isBatch ? `[${texts.join(',')}]` : texts[0]!
  }

  #hasMore(): boolean {
    return this.#next < this.#calls.length || this.#sliced !== null
  }

  #refusal({ isRefused }: Turn): RpcError | null {
    const { limits } = this.#service
    if (isRefused) return limitExceeded('your address has asked for too much work, try again later')
    if (this.#spentMs > limits.requestMsMax) return limitExceeded('the request has taken too long')
    const isFull = this.characters > limits.answerCharactersMax
    return isFull ? new RpcError(CODES.answerTooLarge, 'response too large') : null
  }

  #refuse(error: RpcError): void {
    const call = this.#sliced?.call ?? readCall(this.#calls[this.#next++]!)
    this.#sliced = null
    if (call instanceof RpcError) this.#push(errorText(null, call))
    else this.#push(call.id === undefined ? null : errorText(call.id, error))
  }

  /** Begins the next call or does the next slice. Returns what has to be waited for. */
  #work(turn: Turn): Promise<void> | null {
    if (this.#sliced !== null) return this.#workOn(this.#sliced)
    const call = readCall(this.#calls[this.#next++]!)
    if (call instanceof RpcError) this.#push(errorText(null, call))
    else return this.#begin(call, turn)
    return null
  }

  #begin(call: Call, turn: Turn): Promise<void> | null {
    const { backend, controlMethods } = this.#service
    const changes = isEffective(call.method, controlMethods)
    const push = (answer: Answer): void => this.#push(answer)
    const onError = (error: unknown): Answer => answerError(this.#service, call, error)
    try {
      const { answer, price } = findMethod(call.method, { isTrusted: this.#isTrusted, controlMethods })
      // A notification has no answer: only calls that change something are worth the work.
      if (call.id === undefined && !changes) return null
      turn.charge(price.laterMs)
      const outcome = answer(backend, readParams(call))
      if (outcome instanceof Slices) this.#sliced = { call, slices: outcome }
      else if (outcome instanceof Promise) {
        const answered = outcome.then(result => answerResult(this.#service, call, result)).catch(onError)
        if (!changes) return answered.then(push)
        this.#answers.push(answered)
      } else this.#push(answerResult(this.#service, call, outcome))
    } catch (error) {
      this.#push(onError(error))
    }
    return null
  }

  #workOn({ call, slices }: { readonly call: Call; readonly slices: Slices }): null {
    try {
      const { done, value } = slices.steps.next()
      if (!done) return null
      this.#push(answerResult(this.#service, call, value))
    } catch (error) {
      this.#push(answerError(this.#service, call, error))
    }
    this.#sliced = null
    return null
  }

  #push(answer: Answer): void {
    this.characters += answer?.length ?? 0
    this.#answers.push(answer)
  }
}

function limitExceeded(why: string): RpcError {
  return new RpcError(CODES.limitExceeded, `limit exceeded: ${why}`)
}
