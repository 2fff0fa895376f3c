// Ways to lie that need no knowledge of the protocol: keeping silent, telling only some, being late, telling old
// things again, being two, and forgetting.

import type { Liar, LiarContext } from './network.ts'

type Context<Message> = LiarContext<Message, unknown>

export const silent = (): Liar<never> => ({ send: () => [] })

/** Tells nothing to the first half. */
export const withholding = <Message>({ n }: Context<Message>): Liar<Message> => ({
  send: (message, to) => (to * 2 < n ? [] : [message]),
})

/** Says everything so late that others nearly lose their patience. */
export const late = <Message>(): Liar<Message> => ({ send: message => [message], delayMs: 900 })

/** Says again what it or others said long ago, to anyone. */
export const replaying = <Message>({ n, heard, random }: Context<Message>): Liar<Message> => {
  const said: Message[] = []
  return {
    send: message => {
      if (said.length < 400) said.push(message)
      return [message]
    },
    chatter: () => {
      const known = [...said, ...heard]
      if (known.length === 0) return []
      return Array.from({ length: 6 }, () => ({ to: random.below(n), message: random.pick(known) }))
    },
  }
}

/** Two copies with one key, each of which knows half of the members. */
export const twins = <Message>(): Liar<Message> => ({ send: message => [message], isTwin: true })

/** Forgets its votes whenever it crashes. */
export const forgetful = <Message>(): Liar<Message> => ({ send: message => [message], isForgetful: true })
